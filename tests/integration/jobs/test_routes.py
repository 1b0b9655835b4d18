"""`/jobs` as its callers see it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.auth.access_tokens import Claims
from app.container import Container
from app.core.errors import InvalidError
from app.jobs import Leases, Run, collection
from app.jobs.jobs import LISTENERS
from tests.support.identity import token_of
from tests.support.jobs import Start, backends, handle, jobs_of, submit
from tests.support.users import NOBODY, database, problem, until


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Name and data of each server-sent event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if lines:
            assert lines["id"].isdigit()
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def user_of(client: httpx.AsyncClient, token: str) -> str:
    claims: Claims | None = backends(client).auth.tokens.known(token)
    assert claims is not None
    return claims.user_id


@pytest.mark.makes_texts_up
async def test_a_job_tells_its_story(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: Container, run: Run) -> None:
        await run.progress(3, 10)
        raise InvalidError("Nothing to be done.")

    handle(monkeypatch, refuse)
    client = await starts()
    job_id = await submit(client, result="/users/exports/x")
    await jobs_of(client).wait(job_id, 30)
    job = (await client.get(f"/jobs/{job_id}")).json()
    assert job["id"] == job_id
    assert (job["kind"], job["state"], job["attempts"]) == ("export", "failed", 1)
    assert job["progress"] == {"done": 3, "total": 10}
    assert (job["created_by"], job["result"]) == (NOBODY, "/users/exports/x")
    assert (job["error"]["status"], job["error"]["code"]) == (422, "validation_failed")
    assert job["error"]["detail"] == "Nothing to be done."
    assert job["error"]["request_id"]
    assert job["created_at"] <= job["started_at"] <= job["ended_at"] < job["expires_at"]
    assert job["created_at"].endswith("Z")


async def test_jobs_are_seen_by_the_users_who_asked_for_them_and_by_administrators(
    client: httpx.AsyncClient,
) -> None:
    token = await token_of(client, "users:export")
    mine = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/jobs", headers=mine)).json() == {"items": [], "next": None}
    own = await submit(client, by=user_of(client, token))
    other = await submit(client)
    assert [job["id"] for job in (await client.get("/jobs", headers=mine)).json()["items"]] == [own]
    assert [job["id"] for job in (await client.get("/jobs")).json()["items"]] == [other, own]
    assert (await client.get(f"/jobs/{own}", headers=mine)).status_code == 200
    for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/events")):
        reply = await client.request(method, f"/jobs/{other}{path}", headers=mine)
        problem(reply, 404, "job_not_found")
        problem(await client.request(method, f"/jobs/{NOBODY}{path}"), 404, "job_not_found")
    assert (await jobs_of(client).find(other)).state == "queued"
    assert (await client.post(f"/jobs/{own}/cancel", headers=mine)).json()["state"] == "cancelled"


async def test_jobs_are_paged_through_and_filtered(client: httpx.AsyncClient) -> None:
    ids = [await submit(client, str(number)) for number in range(5)]
    await client.post(f"/jobs/{ids[0]}/cancel")
    walked: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"/jobs?limit=2{cursor}")).json()
        walked += [job["id"] for job in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert walked == ids[::-1]
    cancelled = await client.get("/jobs?state=cancelled&state=failed&kind=export")
    assert [job["id"] for job in cancelled.json()["items"]] == [ids[0]]
    assert (await client.get("/jobs?kind=import_plan")).json()["items"] == []
    first = (await client.get("/jobs?limit=1")).json()["next"]
    problem(await client.get(f"/jobs?state=queued&cursor={first}"), 400, "invalid_cursor")
    problem(await client.get("/jobs?state=odd"), 422, "validation_failed")
    problem(await client.get("/jobs/odd"), 404, "not_found")


async def test_cancelling_twice_is_once_and_too_late_is_409(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def do_nothing(_: Container, __: Run) -> None: ...

    handle(monkeypatch, do_nothing)
    client = await starts()
    done = await submit(client)
    await jobs_of(client).wait(done, 30)
    problem(await client.post(f"/jobs/{done}/cancel"), 409, "job_ended")
    unknown = await jobs_of(client).submit("import_plan", "of another version", result=None, by=NOBODY)
    for _ in range(2):
        assert (await client.post(f"/jobs/{unknown.id}/cancel")).json()["state"] == "cancelled"


async def test_a_job_whose_worker_died_is_cancelled_though_no_other_comes(client: httpx.AsyncClient) -> None:
    job_id = await submit(client)
    opened = backends(client)
    leases = Leases(collection(opened.connections.database), lease_ms=60_000, ttl_ms=60_000)
    assert await leases.take(job_id, ["export"]) is not None
    for _ in range(2):
        asked = (await client.post(f"/jobs/{job_id}/cancel")).json()
        assert (asked["state"], asked["attempts"]) == ("running", 1)
    past = datetime.now(UTC) - timedelta(seconds=1)
    await database(client)["jobs"].update_one({}, {"$set": {"lease_until": past}})
    assert (await client.post(f"/jobs/{job_id}/cancel")).json()["state"] == "cancelled"


async def test_a_job_of_a_key_is_one_until_it_is_cancelled(client: httpx.AsyncClient) -> None:
    first, second = await asyncio.gather(*(submit(client, key="one") for _ in range(2)))
    assert first == second
    await jobs_of(client).cancel(first)
    third = await submit(client, key="one")
    assert third != first
    assert await submit(client, key="one") == third


async def test_events_tell_of_each_change_and_end_with_the_job(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()

    async def wait(_: Container, run: Run) -> None:
        await run.progress(1, 2)
        await go_on.wait()
        await run.progress(2, 2)

    handle(monkeypatch, wait)
    client = await starts()
    job_id = await submit(client)
    listening = asyncio.create_task(client.get(f"/jobs/{job_id}/events"))

    async def is_under_way() -> bool:
        return (await jobs_of(client).find(job_id)).done == 1

    await until(is_under_way)
    await asyncio.sleep(0.6)  # a listener looks twice a second
    go_on.set()
    reply = await listening
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-accel-buffering"] == "no"
    *before, (last, job) = events(reply.text)
    assert {name for name, _ in before} == {"progress"}
    assert 1 in [told["progress"]["done"] for _, told in before]
    assert (last, job["state"], job["progress"]) == ("end", "succeeded", {"done": 2, "total": 2})
    head = await client.head(f"/jobs/{job_id}/events")
    assert (head.status_code, head.content) == (200, b"")
    for last_event_id in ("3", "odd", "", "9" * 50):
        again = await client.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": last_event_id})
        assert [name for name, _ in events(again.text)] == ["end"]


async def leave_room_for_one(client: httpx.AsyncClient) -> None:
    for _ in range(LISTENERS - 1):
        await backends(client).jobs.listeners.acquire()


async def test_events_end_with_the_session(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.http.job_events.CHECK_S", 0.1)
    client = await starts(jobs_inside=False)
    await leave_room_for_one(client)
    mine = {"Authorization": f"Bearer {await token_of(client, 'users:admin')}"}
    job_id = await submit(client)
    listening = asyncio.create_task(client.get(f"/jobs/{job_id}/events", headers=mine))

    async def is_heard() -> bool:
        return backends(client).jobs.listeners.locked()

    await until(is_heard)
    assert (await client.post("/auth/logout", headers=mine)).status_code == 204
    reply = await listening
    assert [name for name, _ in events(reply.text)] == ["progress"]
    assert (await jobs_of(client).find(job_id)).state == "queued"
    assert not backends(client).jobs.listeners.locked()


async def test_more_listeners_than_there_is_room_for_are_503(starts: Start) -> None:
    client = await starts(jobs_inside=False)
    await leave_room_for_one(client)
    job_id = await submit(client)
    listening = asyncio.create_task(client.get(f"/jobs/{job_id}/events"))

    async def is_full() -> bool:
        return backends(client).jobs.listeners.locked()

    await until(is_full)
    reply = await client.get(f"/jobs/{job_id}/events")
    problem(reply, 503, "too_many_listeners")
    assert int(reply.headers["retry-after"]) >= 1
    await client.post(f"/jobs/{job_id}/cancel")
    assert [name for name, _ in events((await listening).text)][-1] == "end"
    assert not backends(client).jobs.listeners.locked()
