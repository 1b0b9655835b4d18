"""What jobs, exports and schedules ask of MongoDB: by an index, without a sort, and no more than need be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from bson import ObjectId

from app.core.clock import now
from app.jobs import Leases, collection
from app.jobs.job_records import new
from app.jobs.sweeps import send_overdue
from tests.support.identity import token_of
from tests.support.jobs import backends, jobs_of
from tests.support.users import NOBODY, database

MANY = 300
OURS = ("jobs", "exports", "schedules", "export_files.files", "export_files.chunks")


async def fill(client: httpx.AsyncClient) -> None:
    """Jobs, exports, schedules and files of others, all long over or not due."""
    held = database(client)
    jobs = [
        new("export", "x", result=None, by=NOBODY, request_id="x") | {"state": "succeeded"}
        for _ in range(MANY)
    ]
    await held["jobs"].insert_many(jobs)
    later = datetime.now(UTC) + timedelta(days=1)
    await held["exports"].insert_many({"by": NOBODY, "expires_at": later} for _ in range(MANY))
    await held["schedules"].insert_many(
        {"by": NOBODY, "is_active": True, "next_run_at": later} for _ in range(MANY)
    )
    files = [ObjectId() for _ in range(MANY)]
    await held["export_files.files"].insert_many(
        {"_id": file_id, "metadata": {"expires_at": later}} for file_id in files
    )
    await held["export_files.chunks"].insert_many(
        {"files_id": file_id, "n": n, "data": b""} for file_id in files for n in range(3)
    )


@pytest.fixture
async def profiled(client: httpx.AsyncClient) -> Any:
    """A function that runs something and answers what MongoDB noted of it."""
    await fill(client)
    held = database(client)

    async def profile(*awaited: Any) -> list[dict[str, Any]]:
        await held.command("profile", 2)
        for each in awaited:
            await each
        await held.command("profile", 0)
        names = [f"{held.name}.{name}" for name in OURS]
        noted = await held["system.profile"].find({"ns": {"$in": names}}).to_list()
        await held.drop_collection("system.profile")
        return [note for note in noted if "planSummary" in note]

    return profile


def assert_cheap(noted: list[dict[str, Any]], *, examined: int) -> None:
    assert noted
    for note in noted:
        assert "COLLSCAN" not in note["planSummary"], note["command"]
        assert not note.get("hasSortStage"), note["command"]
        assert note.get("docsExamined", 0) <= examined, note["command"]
        assert note.get("keysExamined", 0) <= 2 * examined + 2, note["command"]


async def test_lists_read_their_page(client: httpx.AsyncClient, profiled: Any) -> None:
    mine = {"Authorization": f"Bearer {await token_of(client, 'users:export')}"}
    noted = await profiled(
        client.get("/jobs?limit=2", headers=mine),
        client.get("/jobs?limit=2"),
        client.get("/jobs?limit=2&state=running"),
        client.get("/users/exports?limit=2", headers=mine),
        client.get("/users/exports/schedules?limit=2", headers=mine),
    )
    assert len(noted) >= 5
    assert_cheap(noted, examined=3)


async def test_a_job_costs_its_own_document(client: httpx.AsyncClient, profiled: Any) -> None:
    job = await jobs_of(client).submit("export", "x", result=None, by=NOBODY, key="one")
    leases = Leases(collection(backends(client).connections.database), lease_ms=10_000, ttl_ms=10_000)

    async def work() -> None:
        taken = await leases.take(str(job.id), ["export"])
        assert taken is not None
        lease, _ = taken
        await leases.renew(str(job.id), lease, {"done": 1})
        await leases.end(job, lease, "succeeded")

    noted = await profiled(jobs_of(client).submit("export", "x", result=None, by=NOBODY, key="one"), work())
    assert_cheap(noted, examined=1)


async def test_the_sweep_reads_what_waits(client: httpx.AsyncClient, profiled: Any) -> None:
    await jobs_of(client).submit("export", "x", result=None, by=NOBODY)
    documents = collection(backends(client).connections.database)
    await documents.update_many({"state": "queued"}, {"$set": {"sent_at": now() - timedelta(hours=1)}})
    noted = await profiled(send_overdue(documents, jobs_of(client), lease_ms=1000))
    assert_cheap(noted, examined=1)


async def test_schedulers_read_what_is_due(client: httpx.AsyncClient, profiled: Any) -> None:
    said = {"name": "x", "cron": "* * * * *", "export": {"format": "csv"}}
    assert (await client.post("/users/exports/schedules", json=said)).status_code == 201
    assert_cheap(await profiled(backends(client).schedules.find_due()), examined=1)


async def test_files_are_swept_without_reading_those_that_stay(
    client: httpx.AsyncClient, profiled: Any
) -> None:
    noted = await profiled(backends(client).files.sweep())
    assert_cheap([note for note in noted if "aggregate" not in note["command"]], examined=0)
    assert all("COLLSCAN" not in note["planSummary"] for note in noted)
