"""The relay: each change that others care about gets one place in the log, in the order of commits."""

import asyncio
from typing import Any

import httpx
import pytest
from pymongo.errors import OperationFailure

from app.events import Event, lease, relaying, stream
from app.events.relay import Relay
from tests.support.events import KEPT_S, begin_anew, events_of, relayed, wait_for
from tests.support.identity import PASSWORD, call, member, sign_in
from tests.support.jobs import backends, jobs_of, submit
from tests.support.users import create, database


@pytest.fixture(autouse=True)
async def begun(client: httpx.AsyncClient) -> None:
    await begin_anew(client)


def told(events: list[Event]) -> list[tuple[Any, ...]]:
    return [(each.type, each.data.get("version"), each.data.get("ends_sessions")) for each in events]


async def test_each_change_of_a_user_becomes_one_event_by_version(client: httpx.AsyncClient) -> None:
    async with relayed(client):
        ana = await create(client, scopes=["me", "users:read"])
        path = f"/users/{ana['id']}"
        for patch in ({"name": "Anna"}, {"scopes": ["me"]}, {"is_active": False}):
            assert (await client.patch(path, json=patch)).status_code == 200
        assert (await client.put(path + "/password", json={"password": PASSWORD})).status_code == 204
        assert (await client.post("/users:sign-out", json={"ids": [ana["id"]]})).status_code == 200
        assert (await client.delete(path)).status_code == 204
        found = await events_of(client, ana, 7)
    assert told(found) == [
        ("user.created", 1, False),
        ("user.changed", 2, False),
        ("user.changed", 3, True),
        ("user.changed", 4, True),
        ("user.password_set", None, True),
        ("user.signed_out", None, True),
        ("user.deleted", None, True),
    ]
    assert found[1].data["fields"] == ["/name"]
    assert [each.position for each in found] == list(range(1, 8))
    assert len({each.id for each in found}) == 7


async def test_the_log_holds_no_value_of_anybody(client: httpx.AsyncClient) -> None:
    async with relayed(client):
        ana = await create(client, name="Ana Secretname", phone="+4915112345678")
        await client.patch(f"/users/{ana['id']}", json={"profile": {"bio": "Her life"}})
        await events_of(client, ana, 2)
    stored = str(await database(client)["events"].find().to_list())
    assert not [word for word in ("Secretname", "15112345678", "Her life", ana["email"]) if word in stored]


async def test_a_session_that_is_ended_and_a_job_that_ends_are_told(client: httpx.AsyncClient) -> None:
    async with relayed(client):
        ana = await member(client)
        token = (await sign_in(client, ana))["access_token"]
        assert (await call(client, "POST", "/auth/logout", token)).status_code == 204
        ended = (await events_of(client, ana, 3))[-1]
        job = await submit(client)
        await jobs_of(client).cancel(job)
        [done] = await wait_for(client, lambda event: event.type == "job.ended", 1)
    assert (ended.type, ended.data["reason"], ended.data["user"]) == ("session.ended", "revoked", ana["id"])
    assert done.data["job"] == job
    assert (done.data["kind"], done.data["state"]) == ("export", "cancelled")


async def test_what_nobody_relayed_is_relayed_later_by_another_from_where_the_last_one_was(
    client: httpx.AsyncClient,
) -> None:
    ana = await create(client)
    async with relayed(client):
        await events_of(client, ana, 1)
    await client.patch(f"/users/{ana['id']}", json={"name": "Anna"})
    async with relayed(client):
        assert [each.position for each in await events_of(client, ana, 2)] == [1, 2]


async def test_after_the_oplog_has_rolled_over_nothing_is_lost_and_nothing_placed_twice(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await member(client)
    async with relayed(client):
        before = await events_of(client, ana, 2)
    token = (await sign_in(client, ana))["access_token"]
    assert (await call(client, "POST", "/auth/logout", token)).status_code == 204
    job = await submit(client)
    await jobs_of(client).cancel(job)
    await client.patch(f"/users/{ana['id']}", json={"name": "Anna"})
    follow, lost = stream.follow, iter([OperationFailure("its token is older than the oplog", 286)])

    def follow_later(of: Any, start: Any) -> Any:
        if (error := next(lost, None)) is not None:
            raise error
        return follow(of, start)

    monkeypatch.setattr(stream, "follow", follow_later)
    async with relayed(client):
        found = await events_of(client, ana, 4)
        assert found[:2] == before
        assert sorted(each.type for each in found[2:]) == ["session.ended", "user.changed"]
        [done] = await wait_for(client, lambda event: event.type == "job.ended", 1)
        assert done.data["job"] == job
        await client.patch(f"/users/{ana['id']}", json={"name": "Ana"})
        assert (await events_of(client, ana, 5))[-1].data["version"] == 3
    assert await database(client)["events"].count_documents({}) == 6


async def test_of_several_relays_one_works_and_another_takes_over(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.events.relay._LOOK_S", 0.05)
    ana = await create(client)
    async with relayed(client):
        async with relayed(client):
            await events_of(client, ana, 1)
        await client.patch(f"/users/{ana['id']}", json={"name": "Anna"})
        assert len(await events_of(client, ana, 2)) == 2


async def test_a_relay_that_lost_its_lease_writes_nothing_any_more(client: httpx.AsyncClient) -> None:
    held = lease.Lease(database(client)["relay"], "relay")
    assert await held.take() is not None
    ana = await create(client)
    await database(client)["relay"].update_one({}, {"$set": {"lease": "another's"}})
    relay = Relay(database(client), kept_s=KEPT_S)
    row = {"event": "evt_1", "type": "user.created", "at": None, "user": ana["id"], "version": 1, "data": {}}
    with pytest.raises(lease.LeaseLostError):
        await relay._place(held, [row], {})
    assert await database(client)["events"].count_documents({}) == 0
    with pytest.raises(lease.LeaseLostError):
        await held.renew()


async def test_a_lease_that_others_took_stops_what_is_done_under_it(client: httpx.AsyncClient) -> None:
    held = lease.Lease(database(client)["relay"], "relay", lease_s=0.1)
    assert await held.take() is not None
    await database(client)["relay"].update_one({}, {"$set": {"lease": "another's"}})
    with pytest.raises(lease.LeaseLostError):
        async with held.renewed():
            await asyncio.Event().wait()
    assert not held.is_sure


async def test_versions_of_a_user_are_in_order_though_an_import_tells_of_its_change_later(
    client: httpx.AsyncClient,
) -> None:
    ana = await create(client)
    trail, log = database(client)["audit"], database(client)["events"]
    running = await submit(client)
    await database(client)["jobs"].update_one({}, {"$set": {"kind": "import_apply", "state": "running"}})
    async with relayed(client):
        await events_of(client, ana, 1)
        first = await trail.find_one({})
        assert first is not None
        late = first | {"_id": type(first["_id"])(), "action": "changed", "version": 2, "via": "import"}
        await trail.insert_one(first | {"_id": type(first["_id"])(), "action": "changed", "version": 3})
        await trail.insert_one(late)
        found = await events_of(client, ana, 3)
    assert [each.data["version"] for each in found] == [1, 2, 3], running
    assert await log.count_documents({}) == 3


async def test_a_listener_is_told_by_one_stream_and_reads_from_memory(client: httpx.AsyncClient) -> None:
    feed = backends(client).events.feed
    async with relayed(client), feed.listening(), feed.listening():
        assert not await feed.wait(0, 0.01)
        ana = await create(client)
        assert await feed.wait(0, 20)
        await client.patch(f"/users/{ana['id']}", json={"name": "Anna"})
        assert await feed.wait(1, 20)
        assert [each.position for each in await feed.read_after(0, 10)] == [1, 2]
        assert [each.position for each in await feed.read_after(1, 10)] == [2]
        assert await feed.read_after(2, 10) == []
        assert [each.position for each in await feed.read_after(0, 1)] == [1]


async def test_a_reader_can_tell_that_what_follows_its_place_is_kept_no_longer(
    client: httpx.AsyncClient,
) -> None:
    log = backends(client).events.log
    assert (await log.first_position(), await log.last_position()) == (1, 0)
    async with relayed(client):
        ana = await create(client)
        for name in ("b", "c"):
            await client.patch(f"/users/{ana['id']}", json={"name": name})
        await events_of(client, ana, 3)
    await database(client)["events"].delete_one({"_id": 1})
    assert [await log.has_lost(place) for place in (0, 1, 2, 3, 4)] == [True, False, False, False, True]
    [second] = await log.read_after(1, 1)
    stored = await database(client)["events"].find_one({"_id": 3})
    assert stored is not None
    assert second.position == 2
    await database(client)["events"].delete_many({})
    assert (await log.first_position(), await log.has_lost(2), await log.has_lost(3)) == (4, True, False)


async def test_relaying_without_mongodb_goes_on_once_it_is_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.events.relay._LOOK_S", 0.01)
    take = lease.Lease.take
    failures = iter([TimeoutError()])

    async def failing(self: lease.Lease) -> Any:
        if (error := next(failures, None)) is not None:
            raise error
        return await take(self)

    monkeypatch.setattr(lease.Lease, "take", failing)
    ana = await create(client)
    async with relaying(backends(client).connections.database, kept_s=KEPT_S):
        assert len(await events_of(client, ana, 1)) == 1
