import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import serving
from tests.support.servers import MongoServer
from tests.support.users import NOBODY, create, person, pointers, problem, read, until, users

MIB = 1024 * 1024


async def send(client: httpx.AsyncClient, operations: list[Any]) -> list[dict[str, Any]]:
    """The outcomes, one for each operation."""
    reply = await client.post("/users:batch", json={"operations": operations})
    assert reply.status_code == 200, reply.text
    results: list[dict[str, Any]] = reply.json()["results"]
    assert len(results) == len(operations)
    assert all(set(result) == {"status", "id", "version", "error"} for result in results)
    return results


def statuses(results: list[dict[str, Any]]) -> list[int]:
    return [result["status"] for result in results]


async def test_a_thousand_mixed_operations_get_one_status_each_in_their_order(
    client: httpx.AsyncClient,
) -> None:
    made = await send(client, [{"op": "create", "user": person()} for _ in range(500)])
    assert statuses(made) == [201] * 500
    ids = [result["id"] for result in made]
    operations: list[dict[str, Any]] = []
    expected = []
    for place, user_id in enumerate(ids):
        match place % 5:
            case 0:
                operations += [{"op": "delete", "id": user_id}, {"op": "delete", "id": user_id}]
                expected += [204, 404]
            case 1:
                operations += [
                    {"op": "update", "id": user_id, "patch": {"name": f"Name {place}"}, "version": 1},
                    {"op": "update", "id": user_id, "patch": {"name": "Too late"}, "version": 1},
                ]
                expected += [200, 412]
            case 2:
                operations += [{"op": "create", "user": person()}, {"op": "create", "user": person(age=1)}]
                expected += [201, 422]
            case 3:
                email = f"moved{place}@example.com"
                operations += [
                    {"op": "update", "id": user_id, "patch": {"email": email}},
                    {"op": "create", "user": person(email=email.upper())},
                ]
                expected += [200, 409]
            case 4:
                operations += [{"op": "update", "id": NOBODY, "patch": {}}, {"op": "reboot"}]
                expected += [404, 422]
    results = await send(client, operations)
    assert len(results) == 1000
    assert statuses(results) == expected
    for result in results:
        if result["status"] < 300:
            assert result["error"] is None
        else:
            assert result["error"]["status"] == result["status"]
            assert result["version"] is None
    updated = await client.get(f"/users/{ids[1]}")
    assert (updated.json()["name"], updated.json()["version"]) == ("Name 1", 2)
    total = (await client.get("/users?count=exact")).json()["total"]
    assert total == {"value": 500, "relation": "eq"}


async def test_each_outcome_says_what_the_operation_alone_would_have_answered(
    client: httpx.AsyncClient,
) -> None:
    user = await create(client)
    results = await send(
        client,
        [
            {"op": "create", "user": person(email="new@example.com")},
            {"op": "update", "id": user["id"].upper(), "patch": {"name": "Bea"}},
            {"op": "update", "id": user["id"], "patch": {"name": "Cleo"}, "version": 2},
            {"op": "update", "id": user["id"], "patch": {"name": "Dora"}, "version": 2},
            {"op": "delete", "id": user["id"], "version": 2},
            {"op": "delete", "id": user["id"], "version": 3},
            {"op": "update", "id": user["id"], "patch": {"name": "Eva"}},
        ],
    )
    assert statuses(results) == [201, 200, 200, 412, 412, 204, 404]
    assert [result["version"] for result in results] == [1, 2, 3, None, None, None, None]
    assert {result["id"] for result in results[1:]} == {user["id"]}
    assert (await client.get(f"/users/{results[0]['id']}")).json()["email"] == "new@example.com"
    assert [result["error"] and result["error"]["code"] for result in results] == [
        None, None, None, "version_mismatch", "version_mismatch", None, "user_not_found",
    ]  # fmt: skip


async def test_of_duplicates_inside_one_batch_the_first_stands(client: httpx.AsyncClient) -> None:
    twins = [
        person(email="twin@example.com"),
        person(email="TWIN@example.com"),
        person(username="twin"),
        person(username="Twin"),
        person(phone="+34600000000"),
        person(phone="+34 600 000 000"),
    ]
    results = await send(client, [{"op": "create", "user": twin} for twin in twins])
    assert statuses(results) == [201, 409, 201, 409, 201, 409]
    fields = [result["error"]["errors"][0]["pointer"] for result in results if result["error"]]
    assert fields == ["/user/email", "/user/username", "/user/phone"]
    assert "twin" not in json.dumps([result["error"] for result in results])


async def test_operations_are_done_in_order(client: httpx.AsyncClient) -> None:
    user = await create(client, username="handed.on")
    results = await send(
        client,
        [
            {"op": "create", "user": person(username="handed.on")},
            {"op": "update", "id": user["id"], "patch": {"username": None}},
            {"op": "create", "user": person(username="handed.on")},
            {"op": "delete", "id": user["id"]},
            {"op": "create", "user": person(email=user["email"])},
        ],
    )
    assert statuses(results) == [409, 200, 201, 204, 201]


async def test_a_bad_operation_among_good_ones_fails_alone_and_says_where(client: httpx.AsyncClient) -> None:
    user = await create(client)
    bad: list[tuple[Any, str]] = [
        (None, ""),
        ("create", ""),
        ({}, ""),
        ({"op": "drop"}, ""),
        ({"op": "create"}, "/user"),
        ({"op": "create", "user": person(), "id": NOBODY}, "/id"),
        ({"op": "create", "user": {"name": "Ana"}}, "/user/email"),
        ({"op": "create", "user": person(profile={"age": False})}, "/user/profile/age"),
        ({"op": "create", "user": person(scopes=["users:own"])}, "/user/scopes/0"),
        ({"op": "create", "user": person(credentials={"generation": 9})}, "/user/credentials"),
        ({"op": "update", "id": user["id"], "patch": {"is_active": 0}}, "/patch/is_active"),
        ({"op": "update", "id": "1", "patch": {}}, "/id"),
        ({"op": "update", "id": user["id"]}, "/patch"),
        ({"op": "update", "id": user["id"], "patch": None}, "/patch"),
        ({"op": "update", "id": user["id"], "patch": {"$set": {}}}, "/patch/$set"),
        ({"op": "update", "id": user["id"], "patch": {"name": None}}, "/patch/name"),
        ({"op": "update", "id": user["id"], "patch": {}, "version": "1"}, "/version"),
        ({"op": "update", "id": user["id"], "patch": {}, "version": True}, "/version"),
        ({"op": "delete", "id": user["id"], "version": 0}, "/version"),
        ({"op": "delete", "id": {"$ne": None}}, "/id"),
    ]
    operations: list[Any] = []
    for operation, _ in bad:
        operations += [operation, {"op": "create", "user": person()}]
    results = await send(client, operations)
    assert statuses(results) == [422, 201] * len(bad)
    for result, (operation, pointer) in zip(results[::2], bad, strict=True):
        assert result["error"]["errors"][0]["pointer"] == pointer, operation
    assert await read(client, user) == user


async def test_the_batch_itself_must_be_well_formed(client: httpx.AsyncClient) -> None:
    for body, pointer in [
        ({}, "/operations"),
        ({"operations": None}, "/operations"),
        ({"operations": {}}, "/operations"),
        ({"operations": "x"}, "/operations"),
        ({"operations": []}, "/operations"),
        ({"operations": [{}], "dry_run": True}, "/dry_run"),
        ([], ""),
    ]:
        assert pointers(await client.post("/users:batch", json=body)) == {pointer}, body


async def test_a_thousand_and_one_operations_are_refused_and_none_is_done(client: httpx.AsyncClient) -> None:
    operations = [{"op": "create", "user": person()} for _ in range(1001)]
    reply = await client.post("/users:batch", json={"operations": operations})
    content = problem(reply, 422, "validation_failed")
    assert content["errors"] == [{"detail": "Must have at most 1000 items.", "pointer": "/operations"}]
    assert await users(client).count_documents({}) == 0


async def test_five_mebibytes_are_taken_and_seventeen_refused(client: httpx.AsyncClient) -> None:
    operations = [{"op": "create", "user": person(profile={"bio": "b" * 32_000})} for _ in range(170)]
    body = json.dumps({"operations": operations})
    assert len(body) > 5 * MIB
    reply = await client.post("/users:batch", content=body, headers={"Content-Type": "application/json"})
    assert statuses(reply.json()["results"]) == [201] * 170
    huge = body + " " * (17 * MIB - len(body))
    reply = await client.post("/users:batch", content=huge, headers={"Content-Type": "application/json"})
    problem(reply, 413, "body_too_large")


async def test_batches_at_the_same_time_do_not_lose_updates(client: httpx.AsyncClient) -> None:
    user = await create(client, profile={"age": 0})
    fields = ["title", "department", "bio"]
    batches = [
        [
            {"op": "update", "id": user["id"], "patch": {"profile": {field: f"{field} {turn}"}}}
            for turn in range(20)
        ]
        for field in fields
    ]
    found = await asyncio.gather(*(send(client, batch) for batch in batches))
    assert {status for results in found for status in statuses(results)} == {200}
    now = await read(client, user)
    assert now["version"] == 61
    assert [now["profile"][field] for field in fields] == [f"{field} 19" for field in fields]


@pytest.mark.parametrize("kind", ["creates", "updates"])
async def test_when_mongod_dies_in_mid_batch_each_result_is_done_or_503(
    servers_folder: Path, redis_url: str, kind: str
) -> None:
    with MongoServer(servers_folder / f"mid-batch-{kind}") as server:
        async with serving(server.uri, redis_url, mongo_timeout_ms=500) as client:
            made = await send(client, [{"op": "create", "user": person()} for _ in range(500)])
            if kind == "creates":  # each beside an update: neighbouring creates would go as one message
                operations: list[Any] = []
                for result in made:
                    operations += [
                        {"op": "create", "user": person(profile={"title": "new"})},
                        {"op": "update", "id": result["id"], "patch": {}},
                    ]
            else:
                operations = [
                    {"op": "update", "id": result["id"], "patch": {"profile": {"title": "new"}}}
                    for result in made
                ]
            sending = asyncio.create_task(send(client, operations))
            await until(lambda: _some_are_new(client))
            server.kill()
            results = await sending
            server.restart()
            await until(lambda: _answers(client))
            found = [row["_id"] async for row in users(client).find({"profile.title": "new"}, {"_id": 1})]
            there = {str(user_id) for user_id in found}
        counted = Counter(statuses(results))
        assert counted.keys() <= {200, 201, 503}
        assert counted[503] > 0
        for result, operation in zip(results, operations, strict=True):
            if result["status"] == 503:
                assert result["error"]["code"] == "unavailable"
            elif operation.get("patch") != {}:
                assert result["id"] in there


async def _some_are_new(client: httpx.AsyncClient) -> bool:
    return bool(await users(client).count_documents({"profile.title": "new"}) > 3)


async def _answers(client: httpx.AsyncClient) -> bool:
    return (await client.get("/users?limit=1")).status_code == 200


async def test_a_batch_against_a_frozen_mongod_is_503_after_one_time_out_not_a_thousand(
    servers_folder: Path, redis_url: str
) -> None:
    with MongoServer(servers_folder / "frozen-batch") as server:
        async with serving(server.uri, redis_url, mongo_timeout_ms=500) as client:
            user = await create(client)
            operations = [{"op": "update", "id": user["id"], "patch": {"name": "x"}}] * 998
            server.freeze()
            async with asyncio.timeout(30):  # a thousand time-outs would be five hundred seconds
                results = await send(
                    client, [*operations, {"op": "create", "user": person()}, {"op": "drop"}]
                )
            server.thaw()
            assert statuses(results) == [503] * 999 + [422]
            assert results[1]["error"]["detail"].startswith("Not tried")
            await until(lambda: _answers(client))
            assert statuses(await send(client, operations[:1])) == [200]
