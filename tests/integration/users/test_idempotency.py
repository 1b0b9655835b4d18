"""Idempotency-Key: a request that is sent again is not done again, whatever broke off the first."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from pymongo.errors import AutoReconnect

from app import audit
from app.users import idempotency, user_records
from tests.support.identity import call, member, sign_in
from tests.support.users import create, database, person, problem, users

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


async def post(client: httpx.AsyncClient, body: Any, **more: str) -> httpx.Response:
    return await client.post("/users", json=body, headers=KEY | more)


async def batch(client: httpx.AsyncClient, operations: list[Any]) -> httpx.Response:
    return await client.post("/users:batch", json={"operations": operations}, headers=KEY)


def break_off(monkeypatch: pytest.MonkeyPatch, target: Any, *names: str, after: bool, at: int = 1) -> None:
    """One of the functions fails, at their `at`-th call, as if MongoDB went away before it or after it."""
    calls = count(1)

    def failing_once(intact: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def fail_once(*given: Any, **named: Any) -> Any:
            fails = next(calls) == at
            if fails and not after:
                raise AutoReconnect("gone before")
            result = await intact(*given, **named)
            if fails:
                raise AutoReconnect("gone after")
            return result

        return fail_once

    for name in names:
        monkeypatch.setattr(target, name, failing_once(getattr(target, name)))


async def test_the_same_request_gets_the_same_answer_and_is_done_once(client: httpx.AsyncClient) -> None:
    body = person(name="Ana")
    first = await post(client, body)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    await client.patch(f"/users/{first.json()['id']}", json={"name": "Changed since"})
    again = await post(client, body)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("location", "etag", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await users(client).count_documents({}) == 1


async def test_another_body_under_the_key_is_refused(client: httpx.AsyncClient) -> None:
    await post(client, person(name="Ana"))
    refused = problem(await post(client, person(name="Ben")), 422, "idempotency_key_reused")
    assert [bad["parameter"] for bad in refused["errors"]] == ["Idempotency-Key"]
    assert "Ben" not in str(refused)
    assert await users(client).count_documents({}) == 1


async def test_keys_are_their_callers_own_and_each_routes(client: httpx.AsyncClient) -> None:
    assert (await post(client, person())).status_code == 201
    token = (await sign_in(client, await member(client, "users:write")))["access_token"]
    other = await call(client, "POST", "/users", token, json=person(), headers=KEY)
    assert other.status_code == 201
    assert (await batch(client, [{"op": "create", "user": person()}])).status_code == 200


async def test_while_the_first_is_being_done_the_second_is_told_to_wait(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    keep = audit.write.change

    async def wait(*given: Any, **named: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await keep(*given, **named)

    monkeypatch.setattr(audit.write, "change", wait)
    body = person()
    first = asyncio.create_task(post(client, body))
    await begun.wait()
    second = await post(client, body)
    problem(second, 409, "idempotency_key_in_use")
    assert second.headers["retry-after"] == "1"
    problem(await post(client, person()), 422, "idempotency_key_reused")
    go_on.set()
    assert (await first).status_code == 201
    assert (await post(client, body)).content == (await first).content


async def test_fifty_at_the_same_time_create_one(client: httpx.AsyncClient) -> None:
    body = person()
    replies = await asyncio.gather(*(post(client, body) for _ in range(50)))
    assert {reply.status_code for reply in replies} <= {201, 409}
    assert len({reply.content for reply in replies if reply.status_code == 201}) == 1
    for reply in replies:
        if reply.status_code == 409:
            problem(reply, 409, "idempotency_key_in_use")
    assert await users(client).count_documents({}) == 1


async def test_what_was_refused_is_not_kept_and_may_be_tried_again(client: httpx.AsyncClient) -> None:
    taken = await create(client)
    body = person(email=taken["email"])
    problem(await post(client, body), 409, "already_exists")
    problem(await post(client, {"name": "No e-mail"}), 422, "validation_failed")
    assert await database(client)["idempotency_keys"].count_documents({}) == 0
    await client.delete(f"/users/{taken['id']}")
    assert (await post(client, body)).status_code == 201


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("where", ["insert", "finish"])
async def test_a_create_that_broke_off_happens_once_when_it_is_sent_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, where: str, *, after: bool
) -> None:
    target = user_records.Records if where == "insert" else idempotency.Attempt
    break_off(monkeypatch, target, where, after=after)
    body = person(name="Ana")
    problem(await post(client, body), 503, "unavailable")
    done = await post(client, body)
    assert done.status_code == 201
    assert (await post(client, body)).content == done.content
    assert [user["_id"] for user in await users(client).find({}).to_list()] == [
        entry["user"] for entry in await database(client)["audit"].find({"action": "created"}).to_list()
    ]
    assert await users(client).count_documents({}) == 1


async def test_a_batch_is_answered_again_word_for_word(client: httpx.AsyncClient) -> None:
    ana = await create(client)
    operations: list[Any] = [
        {"op": "create", "user": person()},
        {"op": "create", "user": person(email=ana["email"])},
        {"op": "update", "id": ana["id"], "patch": {"name": "x"}, "version": 1},
        {"op": "update", "id": ana["id"], "patch": {"name": "y"}, "version": 1},
        {"op": "delete", "id": ana["id"]},
        {"op": "reboot"},
    ]
    first = await batch(client, operations)
    assert [result["status"] for result in first.json()["results"]] == [201, 409, 200, 412, 204, 422]
    again = await batch(client, operations)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert await users(client).count_documents({}) == 1


@pytest.mark.parametrize("at", range(1, 6))
async def test_a_batch_that_broke_off_goes_on_where_it_stood(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    ana, ben, cyd = [await create(client) for _ in range(3)]
    operations: list[Any] = [
        {"op": "update", "id": ana["id"], "patch": {"name": "x"}, "version": 1},
        {"op": "delete", "id": ben["id"], "version": 1},
        {"op": "create", "user": person()},
        {"op": "create", "user": person()},
        {"op": "update", "id": ana["id"], "patch": {"name": "y"}, "version": 2},
        {"op": "create", "user": person()},
        {"op": "update", "id": cyd["id"], "patch": {"name": "z"}},
    ]
    break_off(monkeypatch, audit.write, "add", "change", after=True, at=at)
    first = [result["status"] for result in (await batch(client, operations)).json()["results"]]
    assert 503 in first
    done = await batch(client, operations)
    results = done.json()["results"]
    assert [result["status"] for result in results] == [200, 204, 201, 201, 200, 201, 200]
    assert [result["version"] for result in results] == [2, None, 1, 1, 3, 1, 2]
    assert "idempotency-replayed" not in done.headers
    assert (await batch(client, operations)).content == done.content
    assert await users(client).count_documents({}) == 5
    made = {result["id"] for result in results if result["status"] == 201}
    assert made < {str(user["_id"]) for user in await users(client).find({}).to_list()}


async def test_an_attempt_that_was_replaced_does_nothing_any_more(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stood still for longer than its lease, in the middle of a batch."""
    add, change = audit.write.add, audit.write.change
    keys = database(client)["idempotency_keys"]

    async def be_replaced(*given: Any) -> None:
        await keys.update_one({}, {"$set": {"owner": "another"}})
        await add(*given)

    async def be_replaced_first(*given: Any, **named: Any) -> Any:
        await keys.update_one({}, {"$set": {"owner": "another"}})
        return await change(*given, **named)

    monkeypatch.setattr(audit.write, "add", be_replaced)
    ana = {"op": "create", "user": person()}
    problem(await batch(client, [ana]), 409, "idempotency_key_in_use")
    existing = await create(client)
    await keys.delete_many({})
    monkeypatch.setattr(audit.write, "change", be_replaced_first)
    update = {"op": "update", "id": existing["id"], "patch": {"name": "x"}}
    problem(await batch(client, [update]), 409, "idempotency_key_in_use")
    assert [user["version"] for user in await users(client).find({}).to_list()] == [1]


async def test_a_killed_process_is_waited_for_as_long_as_its_lease(client: httpx.AsyncClient) -> None:
    body = person()
    await post(client, body)
    keys = database(client)["idempotency_keys"]
    await users(client).delete_many({})
    begun: dict[str, Any] = {"answer": None, "done": {}, "owner": "killed"}
    await keys.update_one({}, {"$set": begun | {"until": datetime.now(UTC) + timedelta(minutes=1)}})
    problem(await post(client, body), 409, "idempotency_key_in_use")
    await keys.update_one({}, {"$set": {"until": datetime.now(UTC) - timedelta(seconds=1)}})
    assert (await post(client, body)).status_code == 201


async def test_after_a_day_the_key_is_new(client: httpx.AsyncClient) -> None:
    await post(client, person())
    keys = database(client)["idempotency_keys"]
    document = await keys.find_one({})
    assert document["expires_at"] - document["until"] > idempotency.KEPT - timedelta(minutes=1)
    await keys.update_one({}, {"$set": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}})
    assert (await post(client, person())).status_code == 201
    assert await users(client).count_documents({}) == 2


async def test_neither_the_key_nor_the_body_is_kept(client: httpx.AsyncClient) -> None:
    operations = [{"op": "create", "user": person(name="Ana Secretname")}]
    await batch(client, operations)
    stored = str(await database(client)["idempotency_keys"].find({}).to_list())
    assert KEY["Idempotency-Key"] not in stored
    assert "Secretname" not in stored


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "ümlaut"])
async def test_what_is_no_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    headers = httpx.Headers([(b"Idempotency-Key", key.encode("latin-1"))])
    reply = await client.post("/users", json=person(), headers=headers)
    assert [bad["parameter"] for bad in problem(reply, 422, "validation_failed")["errors"]] == [
        "idempotency-key"
    ]
    assert await users(client).count_documents({}) == 0
