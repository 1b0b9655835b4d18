"""Deliveries: posted to real receivers, signed, in order for each user, until they are taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from app.webhooks import delivering, open_sender
from app.webhooks.courier import Tools
from tests.support.databases import PreparedDatabases
from tests.support.events import begin_anew, events_of, relayed, until
from tests.support.jobs import backends
from tests.support.receivers import Received, Receiver, receiving
from tests.support.users import create, database

LOOPBACK = "127.0.0.0/8,::1/128"
_QUICK = (0.01,) * 9


@pytest.fixture(scope="module")
async def directory(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        prepared_databases.serving(webhook_networks=LOOPBACK, webhook_timeout_s=10) as client,
    ):
        await begin_anew(client)
        async with relayed(client):
            yield client


@pytest.fixture(autouse=True)
async def no_webhooks(directory: httpx.AsyncClient) -> AsyncIterator[None]:
    yield
    await database(directory)["webhooks"].delete_many({})


@asynccontextmanager
async def couriers(client: httpx.AsyncClient, *, pauses_s: tuple[float, ...] = _QUICK) -> AsyncIterator[None]:
    """Deliver as a worker does, with short pauses between tries."""
    opened = backends(client)
    async with open_sender(allowed=opened.settings.webhook_networks, timeout_s=10) as sender:
        tools = opened.webhooks.tools(sender)
        quick = Tools(
            tools.events, tools.listing, tools.deliveries, tools.messages, sender, tools.kept, pauses_s
        )
        async with delivering(opened.webhooks.collection, quick):
            yield


async def register(client: httpx.AsyncClient, receiver: Receiver, **more: Any) -> dict[str, Any]:
    reply = await client.post("/webhooks", json={"url": receiver.url, **more})
    assert reply.status_code == 201, reply.text
    made: dict[str, Any] = reply.json()
    return made


async def find_deliveries(
    client: httpx.AsyncClient, webhook: dict[str, Any], **asked: Any
) -> list[dict[str, Any]]:
    """The oldest first."""
    reply = await client.get(f"/webhooks/{webhook['id']}/deliveries", params=asked)
    assert reply.status_code == 200, reply.text
    items: list[dict[str, Any]] = reply.json()["items"]
    return items[::-1]


async def until_it_has(client: httpx.AsyncClient, webhook: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The webhook once it has these fields."""

    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(f"/webhooks/{webhook['id']}")).json()
        return found if fields.items() <= found.items() else None

    return await until(look)


async def until_delivered(
    client: httpx.AsyncClient, webhook: dict[str, Any], count: int, state: str = "delivered"
) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]] | None:
        found = await find_deliveries(client, webhook, state=state)
        return found if len(found) >= count else None

    return await until(look)


def ids(received: list[Received]) -> list[str]:
    return [got.id for got in received]


async def test_an_event_is_posted_signed_as_the_specification_says(directory: httpx.AsyncClient) -> None:
    async with receiving() as receiver, couriers(directory):
        webhook = await register(directory, receiver, headers={"X-Tenant": "acme"})
        ana = await create(directory, name="Ana Secretname")
        [got] = await receiver.wait(1)
        [noted] = await until_delivered(directory, webhook, 1)
    event = Webhook(webhook["secret"]).verify(got.body.decode(), dict(got.headers))
    assert (event["type"], event["data"]["user"], event["data"]["version"]) == ("user.created", ana["id"], 1)
    assert event["id"] == got.id == noted["event"]
    assert (got.headers["Content-Type"], got.headers["X-Tenant"]) == ("application/json", "acme")
    assert b"Secretname" not in got.body
    assert (noted["state"], noted["status"], noted["tries"]) == ("delivered", 204, 1)


async def test_a_full_payload_has_the_user_as_they_are_and_none_once_they_are_gone(
    directory: httpx.AsyncClient,
) -> None:
    async with receiving() as receiver, couriers(directory):
        await register(directory, receiver, payload="full")
        ana = await create(directory, name="Ana")
        await receiver.wait(1)
        await directory.delete(f"/users/{ana['id']}")
        first, last = await receiver.wait(2)
    assert first.event["data"]["current"] == ana
    assert last.event["data"]["current"] is None
    assert b"password" not in first.body


async def test_only_chosen_types_about_users_of_the_filter_are_sent(directory: httpx.AsyncClient) -> None:
    async with receiving() as receiver, couriers(directory):
        await register(directory, receiver, types=["user.changed", "user.deleted"], filter="department=Sales")
        ana = await create(directory, profile={"department": "Sales"})
        ben = await create(directory, profile={"department": "Law"})
        for user in (ben, ana):
            await directory.patch(f"/users/{user['id']}", json={"name": "Other"})
            await directory.delete(f"/users/{user['id']}")
        received = await receiver.wait(2)
    told = [(got.event["type"], got.event["data"]["user"]) for got in received]
    assert ("user.deleted", ben["id"]) in told
    assert ("user.changed", ben["id"]) not in told
    assert {kind for kind, _ in told} <= {"user.changed", "user.deleted"}


async def test_failures_are_tried_again_under_one_id_in_order_for_each_user(
    directory: httpx.AsyncClient,
) -> None:
    failing = iter([500, 429, 301])

    def answer(got: Received) -> web.Response:
        if got.event["data"]["user"] == ana["id"]:
            return web.Response(status=next(failing, 204), headers={"Location": "http://127.0.0.1:1/"})
        return web.Response(status=200, text="x" * 100_000)

    async with receiving(answer) as receiver:
        webhook = await register(directory, receiver)
        ana, ben = await create(directory), await create(directory)
        await directory.patch(f"/users/{ana['id']}", json={"name": "Anna"})
        async with couriers(directory):
            await until_delivered(directory, webhook, 3)
    hers = [got for got in receiver.received if got.event["data"]["user"] == ana["id"]]
    assert [got.event["data"]["version"] for got in hers] == [1, 1, 1, 1, 2]
    assert len(set(ids(hers))) == 2
    assert [got.event["data"]["user"] for got in receiver.received].count(ben["id"]) == 1
    assert (await until_it_has(directory, webhook, failing_since=None))["state"] == "active"


async def test_a_delivery_that_always_fails_is_given_up_and_pauses_the_webhook_with_an_event(
    directory: httpx.AsyncClient,
) -> None:
    async with (
        receiving(lambda _: web.Response(status=503)) as receiver,
        receiving() as other,
        couriers(directory, pauses_s=(0.01, 0.01)),
    ):
        told = await register(directory, other, types=["webhook.paused"])
        webhook = await register(directory, receiver, types=["user.created"])
        await create(directory)
        paused = await until_it_has(directory, webhook, state="paused")
        [event] = await other.wait(1)
        assert paused["paused_for"] == "failing"
        assert event.event["data"] == {"webhook": webhook["id"], "reason": "failing"}
        receiver.answer = lambda _: web.Response(status=204)
        [failed] = await until_delivered(directory, webhook, 1, "failed")
        assert (failed["status"], failed["failure"], failed["tries"]) == (503, "status", 3)
        await directory.patch(f"/webhooks/{webhook['id']}", json={"is_active": True})
        reply = await directory.post(f"/webhooks/{webhook['id']}/redeliver", json={"failed": True})
        assert reply.json() == {"deliveries": 1}
        [done] = [
            each for each in await until_delivered(directory, webhook, 1) if each["event"] == failed["event"]
        ]
    assert done["state"] == "delivered"
    assert set(ids(receiver.received[:4])) == {failed["event"]}
    assert told["id"] != webhook["id"]


async def test_a_receiver_that_is_gone_pauses_the_webhook_at_once(directory: httpx.AsyncClient) -> None:
    async with receiving(lambda _: web.Response(status=410)) as receiver, couriers(directory):
        webhook = await register(directory, receiver)
        await create(directory)
        assert (await until_it_has(directory, webhook, state="paused"))["paused_for"] == "gone"
    assert len(receiver.received) == 1


async def test_retry_after_is_heeded(directory: httpx.AsyncClient) -> None:
    async with (
        receiving(lambda _: web.Response(status=503, headers={"Retry-After": "3600"})) as receiver,
        couriers(directory),
    ):
        await register(directory, receiver)
        await create(directory)
        await receiver.wait(1)
        wanted = {"event": receiver.received[0].id, "tries": 1}
        stored = await until(lambda: database(directory)["deliveries"].find_one(wanted))
    assert (stored["due_at"] - stored["tried_at"]).total_seconds() > 3_500


async def test_a_receiver_that_hangs_holds_up_no_other(directory: httpx.AsyncClient) -> None:
    async with receiving() as stuck, receiving() as quick, couriers(directory):
        stuck.hangs.clear()
        for receiver in (stuck, stuck, stuck, quick):
            await register(directory, receiver)
        users = [await create(directory) for _ in range(20)]
        received = await quick.wait(20)
        assert sorted(got.event["data"]["user"] for got in received) == sorted(user["id"] for user in users)


async def test_more_than_memory_holds_is_delivered_in_order_by_the_next_worker(
    directory: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver:
        receiver.hangs.clear()
        webhook = await register(directory, receiver)
        ana = await create(directory)
        path = f"/users/{ana['id']}"
        for number in range(8):
            await directory.patch(path, json={"name": f"Ana {number}"})
        async with couriers(directory):
            await until_delivered(directory, webhook, 9, "waiting")
        receiver.hangs.set()
        monkeypatch.setattr("app.webhooks.courier.WINDOW", 3)
        received = len(receiver.received)
        async with couriers(directory):
            await directory.patch(path, json={"name": "Anna"})
            await until_delivered(directory, webhook, 10)
    versions = [got.event["data"]["version"] for got in receiver.received[received:]]
    assert versions == list(range(1, 11))


async def test_another_worker_goes_on_where_one_stopped(directory: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        webhook = await register(directory, receiver)
        for _ in range(2):
            await create(directory)
            async with couriers(directory):
                await until_delivered(directory, webhook, len(set(ids(receiver.received))) or 1)
        async with couriers(directory), couriers(directory):
            await until_delivered(directory, webhook, 2)
    assert len(set(ids(receiver.received))) == 2


async def test_deliveries_are_delivered_once_more_one_or_since_a_time(directory: httpx.AsyncClient) -> None:
    async with receiving() as receiver, couriers(directory):
        webhook = await register(directory, receiver)
        for _ in range(3):
            await create(directory)
        found = await until_delivered(directory, webhook, 3)
        path = f"/webhooks/{webhook['id']}/redeliver"
        assert (await directory.post(path, json={"delivery": found[1]["id"]})).json() == {"deliveries": 1}
        assert (await receiver.wait(4))[-1].id == found[1]["event"]
        await until_delivered(directory, webhook, 3)
        reply = await directory.post(path, json={"since": found[0]["created_at"]})
        assert reply.json() == {"deliveries": 3}
        assert sorted(ids((await receiver.wait(7))[-3:])) == sorted(each["event"] for each in found)


async def test_old_and_new_secrets_both_verify_during_the_overlap(directory: httpx.AsyncClient) -> None:
    async with receiving() as receiver, couriers(directory):
        webhook = await register(directory, receiver)
        path = f"/webhooks/{webhook['id']}"
        renewed = (await directory.post(f"{path}/secret", json={"overlap": 3600})).json()["secret"]
        assert (await until_it_has(directory, webhook))["secrets"] == 2
        await create(directory)
        [got] = await receiver.wait(1)
        for secret in (webhook["secret"], renewed):
            Webhook(secret).verify(got.body.decode(), dict(got.headers))
        last = (await directory.post(f"{path}/secret", json={"overlap": 0})).json()["secret"]
        assert (await until_it_has(directory, webhook))["secrets"] == 1
        [only] = (await directory.get("/webhooks")).json()["items"]
        assert not [secret for secret in (webhook["secret"], renewed, last) if secret in str(only)]


async def test_a_webhook_whose_events_are_kept_no_longer_is_told_so(directory: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        webhook = await register(directory, receiver)
        await create(directory)
        await create(directory)
        ana = await create(directory)
        [last] = await events_of(directory, ana, 1)
        await database(directory)["events"].delete_many({"_id": {"$lt": last.position}})
        async with couriers(directory):
            received = await receiver.wait(2)
    assert [got.event["type"] for got in received] == ["events.reset", "user.created"]
    assert received[1].event["data"]["user"] == ana["id"]
    assert received[0].event["data"] == {"webhook": webhook["id"]}


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://169.254.169.254/latest", "refused_address"),
        ("http://10.1.2.3/", "refused_address"),
        ("http://167838211/", "refused_address"),
        ("http://0.0.0.0/", "refused_address"),
        ("http://[64:ff9b::a9fe:a9fe]/", "refused_address"),
        ("http://[::ffff:10.1.2.3]/", "refused_address"),
        ("http://nowhere.invalid/", "not_found"),
        ("http://127.0.0.1:1/", "no_connection"),
    ],
)
async def test_a_test_says_why_it_did_not_arrive(
    directory: httpx.AsyncClient, url: str, failure: str
) -> None:
    webhook = await register(directory, Receiver(url))
    reply = await directory.post(f"/webhooks/{webhook['id']}/test")
    assert (reply.status_code, reply.json()["failure"], reply.json()["status"]) == (200, failure, None)


async def test_a_test_is_answered_by_the_receiver(directory: httpx.AsyncClient) -> None:
    async with receiving(lambda _: web.Response(status=202)) as receiver:
        webhook = await register(directory, receiver)
        reply = await directory.post(f"/webhooks/{webhook['id']}/test")
        assert (reply.json()["status"], reply.json()["failure"]) == (202, None)
        [got] = receiver.received
        assert (
            Webhook(webhook["secret"]).verify(got.body.decode(), dict(got.headers))["type"] == "webhook.test"
        )
        receiver.url = receiver.url.replace("http:", "https:")
        secure = await register(directory, receiver)
        reply = await directory.post(f"/webhooks/{secure['id']}/test")
        assert reply.json()["failure"] == "tls"


async def test_a_receiver_that_speaks_no_http_or_never_answers_is_told_apart(
    directory: httpx.AsyncClient,
) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 hello\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        webhook = await register(directory, Receiver(f"http://127.0.0.1:{port}/"))
        reply = await directory.post(f"/webhooks/{webhook['id']}/test")
    assert reply.json()["failure"] == "no_http"
    async with (
        receiving() as receiver,
        open_sender(allowed=backends(directory).settings.webhook_networks, timeout_s=0.05) as sender,
    ):
        receiver.hangs.clear()
        assert (await sender.post(receiver.url, b"{}", {})).failure == "timeout"
