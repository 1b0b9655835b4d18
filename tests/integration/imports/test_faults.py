"""Imports under faults: whatever is killed or steps down, each row is applied exactly once."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from app.imports.import_records import ImportRecords
from tests.support import forked
from tests.support.api import serving
from tests.support.applying import (
    Row,
    change,
    creation,
    deletion,
    import_of,
    plan,
    resources,
    statuses,
    write_together,
)
from tests.support.live import environment
from tests.support.servers import MongoServer
from tests.support.suite_logs import KEEPER
from tests.support.users import create, until, users

KILLS = 50
LONGEST_MS = 70


async def mixed_rows(client: httpx.AsyncClient, creations: int) -> list[Row]:
    """Of each kind: new ones, changes, changes that end sessions, deletions; mingled."""
    people = [await create(client) for _ in range(90)]
    rows = [creation() for _ in range(creations)]
    rows += [change(user, name="Changed") for user in people[:30]]
    rows += [change(user, name="Changed", is_active=False) for user in people[30:60]]
    rows += [deletion(user) for user in people[60:]]
    step = 7919  # a prime that no count of rows here is a multiple of
    return [rows[place * step % len(rows)] for place in range(len(rows))]


async def check_exact(client: httpx.AsyncClient, import_id: ObjectId, rows: list[Row]) -> None:
    assert Counter(await statuses(client, import_id)) == {
        "created": len(rows) - 90, "updated": 60, "deleted": 30,
    }  # fmt: skip
    stored = {row["_id"]: row async for row in users(client).find({})}
    assert len(stored) == len(rows) - 30
    for row in rows:
        user = stored.get(row["user"])
        match row["status"]:
            case "create":
                assert user is not None
                assert (user["email"], user["version"]) == (row["said"]["email"], 1)
            case "update":
                assert user is not None
                assert (user["name"], user["version"]) == ("Changed", 2)
            case "delete":
                assert user is None
    imported = await import_of(client, import_id)
    assert imported["state"] == "applied"
    assert (imported["counts"]["created"], imported["counts"]["deleted"]) == (len(rows) - 90, 30)


async def submit(client: httpx.AsyncClient, import_id: ObjectId) -> str:
    job = await resources(client).jobs.submit("import_apply", str(import_id), result=None, by=None)
    return str(job.id)


async def test_workers_killed_at_fifty_random_moments_apply_each_row_once(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    rows = await mixed_rows(client, 3_000)
    import_id = await plan(client, rows)
    job_id = await submit(client, import_id)
    words = ["tests.programs.mortal_workers", job_id, str(KILLS), str(LONGEST_MS)]
    variables = environment(tmp_path, mongo_uri=mongo_uri, redis_url=redis_url, log_level="error")
    done = await asyncio.to_thread(forked.run, words, cwd=tmp_path, env=variables, timeout_s=180)
    KEEPER.keep(done.stderr)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == KILLS
    assert (await resources(client).jobs.find(job_id)).attempts == KILLS + 1
    await check_exact(client, import_id, rows)


def step_down(uri: str) -> None:
    with MongoClient[dict[str, Any]](uri) as mongo:
        try:
            mongo.admin.command({"replSetStepDown": 1, "force": True})
        except AutoReconnect:  # older servers hang up
            return


async def test_mongodb_steps_down_in_the_midst_and_the_result_is_exact(
    servers_folder: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(monkeypatch, 20)
    with MongoServer(servers_folder / "stepping-down") as server:
        async with serving(server.uri, redis_url, jobs_inside=True) as client:
            rows = await mixed_rows(client, 1_000)
            import_id = await plan(client, rows)
            job_id = await submit(client, import_id)
            for share in (0.2, 0.5):

                async def is_underway(share: float = share) -> bool:
                    pending = {"import": import_id, "status": {"$in": ["create", "update", "delete"]}}
                    left = await ImportRecords(resources(client).connections.database).rows.count_documents(
                        pending
                    )
                    return left < len(rows) * (1 - share)

                await until(is_underway)
                await asyncio.to_thread(step_down, server.uri)
            job = await resources(client).jobs.wait(job_id, 60)
            assert (job.state, job.error) == ("succeeded", None)
            await check_exact(client, import_id, rows)
