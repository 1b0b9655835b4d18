"""The version of a database's schema, and the lock under which it is migrated.

Only the owner of the lock counts a step, and an owner who does not renew the lock loses it: of processes that
start together one runs the steps, the others wait for it, and one that is killed is replaced.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pymongo
import structlog
from pymongo.write_concern import WriteConcern

from app.core.errors import StartError
from app.core.mongo import Collection, Database
from app.migrations.steps import STEPS, Step

log = structlog.get_logger("roster.migrations")

LEASE_S = 10.0
"""How long a lock is good without renewal; its owner renews it three times as often."""
_POLL_S = 0.1
_ID = "schema"


async def check(database: Database, steps: Sequence[Step] = STEPS) -> list[str]:
    """A sentence for each step that is not done. StartError as `refuse_newer`."""
    version = await refuse_newer(database, steps)
    return [f"migration {step.version} is not done: {step.what}" for step in steps[version:]]


async def refuse_newer(database: Database, steps: Sequence[Step] = STEPS) -> int:
    """The version of the schema; StartError if a newer release has migrated it."""
    found = await _collection(database).find_one({"_id": _ID})
    version = int(found["version"]) if found is not None else 0
    if version > len(steps):
        raise StartError(
            f"The database has schema {version} of a newer release; this one knows {len(steps)}: "
            "start the newer release, or restore the backup made before the upgrade."
        )
    return version


async def apply(database: Database, steps: Sequence[Step] = STEPS, *, lease_s: float = LEASE_S) -> None:
    """Run all missing steps, each once; waits while another process does. StartError as `refuse_newer`."""
    while await refuse_newer(database, steps) < len(steps):
        owner = secrets.token_hex(8)
        if not await _take(database, owner, lease_s):
            await asyncio.sleep(_POLL_S)
            continue
        async with _renewed(database, owner, lease_s):
            await _run(database, owner, steps)


async def _run(database: Database, owner: str, steps: Sequence[Step]) -> None:
    try:
        for step in steps[await refuse_newer(database, steps) :]:
            began = time.monotonic()
            with pymongo.timeout(0):  # a step may take long with many users
                await step.migrate(database)
            took_s = round(time.monotonic() - began, 3)
            if not await _count(database, owner, step, took_s):
                return  # the lock was lost: its new owner begins this step again
            # an empty directory needs no report
            tell = log.info if await database["users"].find_one({}, {"_id": 1}) else log.debug
            tell("migrated", version=step.version, what=step.what, took_s=took_s)
    finally:
        await _collection(database).update_one({"_id": _ID, "lock.owner": owner}, {"$set": {"lock": None}})


async def _count(database: Database, owner: str, step: Step, took_s: float) -> bool:
    done = [{"version": step.version, "at": "$$NOW", "took_s": took_s}]
    counted = await _collection(database).update_one(
        {"_id": _ID, "lock.owner": owner, "version": step.version - 1},
        [{"$set": {"version": step.version, "done": {"$concatArrays": ["$done", done]}}}],
    )
    return counted.modified_count == 1


async def _take(database: Database, owner: str, lease_s: float) -> bool:
    """Whether the lock is ours, by the server's clock, since those of the processes may differ."""
    await _collection(database).update_one(
        {"_id": _ID}, {"$setOnInsert": {"version": 0, "lock": None, "done": []}}, upsert=True
    )
    free = {"$or": [{"lock": None}, {"$expr": {"$lt": ["$lock.until", "$$NOW"]}}]}
    return await _lock(database, {"_id": _ID, **free}, owner, lease_s)


async def _lock(database: Database, condition: dict[str, Any], owner: str, lease_s: float) -> bool:
    until = {"$add": ["$$NOW", int(lease_s * 1000)]}
    locked = await _collection(database).update_one(
        condition, [{"$set": {"lock": {"owner": owner, "until": until}}}]
    )
    return locked.matched_count == 1


@asynccontextmanager
async def _renewed(database: Database, owner: str, lease_s: float) -> AsyncIterator[None]:
    async def renew() -> None:
        while True:
            await asyncio.sleep(lease_s / 3)
            if not await _lock(database, {"_id": _ID, "lock.owner": owner}, owner, lease_s):
                return

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


def _collection(database: Database) -> Collection:
    return database["schema"].with_options(write_concern=WriteConcern("majority"))
