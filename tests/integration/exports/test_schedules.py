"""Scheduled exports: changed at any time, run once for each due time, over any number of schedulers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from bson import ObjectId

from app.container import Container
from app.jobs import Run
from tests.support.identity import member, sign_in, token_of
from tests.support.jobs import Start, backends, handle
from tests.support.users import NOBODY, create, database, pointers, problem, until

SAID = {"name": "Every night", "cron": "0 3 * * *", "export": {"format": "csv", "columns": "name,email"}}


async def schedule(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    reply = await client.post("/users/exports/schedules", json=SAID | more)
    assert reply.status_code == 201, reply.text
    return cast("dict[str, Any]", reply.json())


async def schedule_of_a_member(client: httpx.AsyncClient) -> dict[str, Any]:
    """Of one who may export, and is named `Owner`."""
    user = await member(client, "users:export", name="Owner")
    theirs = {"Authorization": f"Bearer {(await sign_in(client, user))['access_token']}"}
    reply = await client.post("/users/exports/schedules", json=SAID, headers=theirs)
    assert reply.status_code == 201, reply.text
    return cast("dict[str, Any]", reply.json() | {"owner": user})


async def read(client: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", (await client.get(f"/users/exports/schedules/{made['id']}")).json())


async def make_due(client: httpx.AsyncClient, made: dict[str, Any]) -> datetime:
    """As if its time had just come."""
    due = datetime.now(UTC).replace(microsecond=0)
    one = {"_id": ObjectId(made["id"])}
    await database(client)["schedules"].update_one(one, {"$set": {"next_run_at": due}})
    return due


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedulers that look every second."""
    monkeypatch.setattr("app.exports.scheduler.LOOK", timedelta(seconds=1))


async def test_a_schedule_is_created_changed_and_deleted(client: httpx.AsyncClient) -> None:
    reply = await client.post("/users/exports/schedules", json=SAID)
    made = reply.json()
    assert reply.headers["location"] == f"/users/exports/schedules/{made['id']}"
    assert {name: made[name] for name in SAID} == SAID
    assert (made["timezone"], made["is_active"], made["last_run_at"]) == ("UTC", True, None)
    assert datetime.fromisoformat(made["next_run_at"]).hour == 3
    assert await read(client, made) == made
    path = f"/users/exports/schedules/{made['id']}"
    changed = (await client.patch(path, json={"cron": "0 4 * * *", "timezone": "Asia/Shanghai"})).json()
    assert changed["name"] == made["name"]
    assert datetime.fromisoformat(changed["next_run_at"]).hour == 20
    renamed = (
        await client.patch(path, json={"name": "x", "export": {"format": "xlsx", "tag": "red"}})
    ).json()
    assert (renamed["next_run_at"], renamed["cron"]) == (changed["next_run_at"], changed["cron"])
    assert renamed["export"] == {"format": "xlsx", "tag": ["red"]}
    paused = (await client.patch(path, json={"is_active": False})).json()
    assert (paused["is_active"], paused["next_run_at"]) == (False, None)
    resumed = (await client.patch(path, json={"is_active": True})).json()
    assert resumed["next_run_at"] is not None
    assert (await client.delete(path)).status_code == 204
    for method in ("GET", "DELETE"):
        problem(await client.request(method, path), 404, "schedule_not_found")
    problem(await client.patch(path, json={"name": "x"}), 404, "schedule_not_found")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"cron": "nightly"}, "/cron"),
        ({"cron": "0 0 30 2 *"}, "/cron"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"name": ""}, "/name"),
        ({"export": {"format": "csv", "columns": "nmae"}}, "/export/columns"),
        ({"export": {"columns": "name"}}, "/export/format"),
        ({"odd": 1}, "/odd"),
        ({"is_active": None}, "/is_active"),
        ({"is_active": 0}, "/is_active"),
        ({"export": {"format": "csv", "addresses": False}}, "/export/addresses"),
    ],
)
async def test_what_is_no_schedule_is_refused(
    client: httpx.AsyncClient, said: dict[str, Any], pointer: str
) -> None:
    assert pointers(await client.post("/users/exports/schedules", json=SAID | said)) == {pointer}
    made = await schedule(client)
    assert pointers(await client.patch(f"/users/exports/schedules/{made['id']}", json=said)) == {pointer}
    assert await read(client, made) == made


async def test_schedules_are_seen_by_the_users_who_made_them_and_by_administrators(
    client: httpx.AsyncClient,
) -> None:
    mine = {"Authorization": f"Bearer {await token_of(client, 'users:export')}"}
    theirs = await schedule(client)
    made = (await client.post("/users/exports/schedules", json=SAID, headers=mine)).json()
    listed = (await client.get("/users/exports/schedules", headers=mine)).json()
    assert listed == {"items": [made], "next": None}
    assert (await client.get("/users/exports/schedules")).json()["items"] == [made, theirs]
    first = (await client.get("/users/exports/schedules?limit=1")).json()
    rest = await client.get(f"/users/exports/schedules?limit=1&cursor={first['next']}")
    assert [*first["items"], *rest.json()["items"]] == [made, theirs]
    path = f"/users/exports/schedules/{theirs['id']}"
    for reply in (
        await client.get(path, headers=mine),
        await client.patch(path, json={"name": "x"}, headers=mine),
        await client.delete(path, headers=mine),
    ):
        problem(reply, 404, "schedule_not_found")
    assert await read(client, theirs) == theirs


@pytest.mark.usefixtures("hurry")
async def test_what_is_due_is_exported_once_over_two_schedulers(starts: Start) -> None:
    client, _ = await starts(), await starts()
    await create(client, name="Ana")
    made = await schedule_of_a_member(client)
    due = await make_due(client, made)

    async def has_run() -> bool:
        return (await read(client, made))["last_run_at"] is not None

    await until(has_run)
    after = await read(client, made)
    assert datetime.fromisoformat(after["last_run_at"]) == due
    assert datetime.fromisoformat(after["next_run_at"]) > datetime.now(UTC)
    job = await backends(client).jobs.wait(after["last_job"], 30)
    assert job.state == "succeeded"
    (export,) = (await client.get("/users/exports")).json()["items"]
    assert (export["id"], export["schedule"]) == (after["last_export"], made["id"])
    assert (export["columns"], export["rows"]) == (["name", "email"], 2)


@pytest.mark.usefixtures("hurry")
async def test_a_run_waits_for_the_one_before(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = asyncio.Event()

    async def wait(_: Container, __: Run) -> None:
        await finish.wait()

    handle(monkeypatch, wait)
    client = await starts()
    made = await schedule_of_a_member(client)
    await make_due(client, made)

    async def has_run() -> bool:
        return (await read(client, made))["last_run_at"] is not None

    async def was_skipped() -> bool:
        return (await read(client, made))["last_skipped_at"] is not None

    await until(has_run)
    before = await read(client, made)
    due = await make_due(client, made)
    await until(was_skipped)
    after = await read(client, made)
    assert datetime.fromisoformat(after["last_skipped_at"]) == due
    assert (after["last_job"], after["last_run_at"]) == (before["last_job"], before["last_run_at"])
    assert len((await client.get("/jobs")).json()["items"]) == 1
    finish.set()


async def test_of_many_who_ask_at_once_one_starts_a_run(client: httpx.AsyncClient) -> None:
    schedules = backends(client).schedules
    made = await schedule_of_a_member(client)
    due = await make_due(client, made)
    asked = [schedules.start(ObjectId(made["id"]), due) for _ in range(8)]
    started = [job for job in await asyncio.gather(*asked) if job is not None]
    assert len(started) == 1
    assert [job["id"] for job in (await client.get("/jobs")).json()["items"]] == started
    assert (await read(client, made))["last_job"] == started[0]


async def test_nothing_is_started_that_was_changed_meanwhile(client: httpx.AsyncClient) -> None:
    schedules = backends(client).schedules
    made = await schedule(client)
    due = await make_due(client, made)
    assert await schedules.find_due() == [(ObjectId(made["id"]), due)]
    await client.patch(f"/users/exports/schedules/{made['id']}", json={"is_active": False})
    assert await schedules.find_due() == []
    assert await schedules.start(ObjectId(made["id"]), due) is None
    assert await schedules.start(ObjectId(NOBODY), due) is None
    assert (await client.get("/jobs")).json()["items"] == []


@pytest.mark.parametrize("how", [{"is_active": False}, {"scopes": ["me"]}, None], ids=str)
async def test_the_schedule_of_one_who_may_no_longer_export_is_switched_off(
    client: httpx.AsyncClient, how: dict[str, Any] | None
) -> None:
    schedules = backends(client).schedules
    made = await schedule_of_a_member(client)
    path = f"/users/{made['owner']['id']}"
    await (client.delete(path) if how is None else client.patch(path, json=how))
    assert await schedules.start(ObjectId(made["id"]), await make_due(client, made)) is None
    after = await read(client, made)
    assert (after["is_active"], after["next_run_at"], after["last_run_at"]) == (False, None, None)
    assert (await client.get("/jobs")).json()["items"] == []
