"""What events and webhooks ask MongoDB goes by an index, and sorts nothing in memory."""

from ipaddress import ip_network

import httpx

from app.events import recovery
from app.webhooks import delivering, open_sender
from tests.support.events import KEPT_S, begin_anew, events_of, relayed
from tests.support.jobs import backends
from tests.support.receivers import receiving
from tests.support.users import create, database

_OURS = ("events", "deliveries", "audit", "ended_sessions", "jobs")


async def test_no_query_reads_or_sorts_a_whole_collection(client: httpx.AsyncClient) -> None:
    held, opened = database(client), backends(client)
    await begin_anew(client)
    await held.command("profile", 2)
    async with (
        receiving() as receiver,
        relayed(client),
        open_sender(allowed=[ip_network("127.0.0.0/8")], timeout_s=10) as sender,
        delivering(opened.webhooks.collection, opened.webhooks.tools(sender)),
    ):
        webhook = (await client.post("/webhooks", json={"url": receiver.url})).json()
        ana = await create(client)
        await client.patch(f"/users/{ana['id']}", json={"name": "Anna"})
        await events_of(client, ana, 2)
        path = f"/webhooks/{webhook['id']}"
        await receiver.wait(2)
        for asked in ({}, {"state": "waiting"}):
            assert (await client.get(f"{path}/deliveries", params=asked)).status_code == 200
        for body in ({"failed": True}, {"since": "2026-01-31T08:00:00Z"}, {"delivery": "0" * 24}):
            assert (await client.post(f"{path}/redeliver", json=body)).status_code == 200
        assert await opened.events.log.first_position() == 1
        began = await held["relay"].find_one({})
        assert began is not None
        assert [batch async for batch in recovery.find(held, began["seen_at"], kept_s=KEPT_S)]
        assert (await client.delete(path)).status_code == 204
    await held.command("profile", 0)
    names = [f"{held.name}.{name}" for name in _OURS]
    asked_of = await held["system.profile"].find({"ns": {"$in": names}, "op": {"$ne": "insert"}}).to_list()
    await held.drop_collection("system.profile")
    plans = {(each["ns"], each.get("planSummary")) for each in asked_of}
    assert {name for name, _ in plans} >= {names[0], names[1]}
    assert not [plan for plan in plans if plan[1] == "COLLSCAN"]
    assert not [each["command"] for each in asked_of if each.get("hasSortStage")]
