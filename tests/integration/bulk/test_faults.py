"""Bulk changes under faults: whatever is killed, each row is done exactly once."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
from bson import ObjectId

from tests.support import forked
from tests.support.applying import statuses
from tests.support.bulk import ask
from tests.support.imports import counted
from tests.support.live import environment
from tests.support.suite_logs import KEEPER
from tests.support.users import create, database, users

MANY = 1_500
KILLS = 20
LONGEST_MS = 70
NARROW = {"action": "remove_scopes", "scopes": ["users:read"]}


async def kill_workers(job_id: str, kills: int, folder: Path, servers: tuple[str, str]) -> int:
    """Processes take the job one after another; how many were killed at it. The last one ends it."""
    words = ["tests.programs.mortal_workers", job_id, str(kills), str(LONGEST_MS)]
    variables = environment(folder, mongo_uri=servers[0], redis_url=servers[1], log_level="error")
    done = await asyncio.to_thread(forked.run, words, cwd=folder, env=variables, timeout_s=180)
    KEEPER.keep(done.stderr)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


async def make_people(client: httpx.AsyncClient) -> None:
    people = [
        {"name": "N", "email": f"n{n}@example.com", "scopes": ["me", "users:read"]} for n in range(MANY)
    ]
    for start in range(0, MANY, 500):
        operations = [{"op": "create", "user": person} for person in people[start : start + 500]]
        await client.post("/users:batch", json={"operations": operations})


async def test_workers_killed_at_twenty_moments_do_each_row_once_and_its_revert_too(
    client: httpx.AsyncClient, mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    servers = (mongo_uri, redis_url)
    await make_people(client)
    not_asked = {"Prefer": "wait=0"}
    begun = (await ask(client, NARROW, filter={"scope": "users:read"}, headers=not_asked)).json()
    path = f"/users/bulk/{begun['id']}"
    assert await kill_workers(begun["plan_job"], 3, tmp_path, servers)
    late = await create(client, scopes=["me", "users:read"])
    planned = (await client.get(path)).json()
    assert (planned["state"], counted(planned)) == ("planned", {"update": MANY})

    job_id = (await client.post(f"{path}/apply", headers=not_asked)).json()["apply_job"]
    assert await kill_workers(job_id, KILLS, tmp_path, servers) == KILLS
    assert Counter(await statuses(client, ObjectId(begun["id"]))) == {"updated": MANY}
    done = {"scopes": ["me"], "version": 2, "credentials.generation": 1}
    assert await users(client).count_documents(done) == MANY
    assert await users(client).count_documents({"_id": ObjectId(late["id"]), "version": 1}) == 1
    assert await database(client)["audit"].count_documents({"import": ObjectId(begun["id"])}) == MANY

    reverting = (await client.post(f"{path}/revert", headers=not_asked)).json()
    await kill_workers(reverting["plan_job"], 0, tmp_path, servers)
    back = f"/users/bulk/{reverting['id']}"
    job_id = (await client.post(f"{back}/apply", headers=not_asked)).json()["apply_job"]
    assert await kill_workers(job_id, 5, tmp_path, servers) == 5
    assert await users(client).count_documents({"scopes": ["me", "users:read"], "version": 3}) == MANY
