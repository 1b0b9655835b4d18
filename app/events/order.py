"""Puts events of a user in the order of versions, where commits were in another.

Imports and bulk changes write a user first and the entry of the trail right after (ADR 54, ADR 60). A change
in between commits its entry, with the later version, first.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bson import ObjectId

from app.core.clock import now
from app.core.mongo import AWARE, Database, Row
from app.events.causes import MAKERS
from models.event import StoredEvent
from models.job import JobKind

_WRITERS: Sequence[JobKind] = ("import_apply", "bulk_apply")
_LOOKS, _PAUSE_S = 10, 0.2
"""The entry follows within milliseconds, unless the worker was killed: then as late as its next run."""
_RECENT = timedelta(hours=1)


class Order:
    def __init__(self, database: Database) -> None:
        self._events = database[StoredEvent.Settings.name]
        self._audit = database.get_collection("audit", codec_options=AWARE)
        self._jobs = database["jobs"]

    async def settle(self, rows: list[Row]) -> list[Row]:
        """Those without a place, in their order; with those that must go before them."""
        new = sort(await self._drop_placed(rows))
        if await self._find_gaps(new) and await self._is_importing():
            for _ in range(_LOOKS):
                if not (gaps := await self._find_gaps(new)):
                    break
                late = await self._drop_placed([*await self._find_late(gaps), *new])
                new = sort([*{row["event"]: row for row in late}.values()])
                await asyncio.sleep(_PAUSE_S)
        return new

    async def _drop_placed(self, rows: list[Row]) -> list[Row]:
        wanted = {"event": {"$in": [row["event"] for row in rows]}}
        placed = {row["event"] async for row in self._events.find(wanted, {"_id": 0, "event": 1})}
        return [row for row in rows if row["event"] not in placed]

    async def _find_gaps(self, rows: Sequence[Row]) -> dict[ObjectId, int]:
        """The users who lack a version before their first one here, with that one."""
        first: dict[ObjectId, int] = {}
        for row in rows:
            if row["version"] is not None:
                first.setdefault(row["user"], row["version"])
        stages: list[dict[str, Any]] = [
            {"$match": {"user": {"$in": [*first]}}},
            {"$sort": {"user": 1, "version": -1}},
            {"$group": {"_id": "$user", "version": {"$first": "$version"}}},
        ]
        async with await self._events.aggregate(stages, hint="user") as found:
            last = {row["_id"]: row["version"] or 0 async for row in found}
        return {user: version for user, version in first.items() if version > last.get(user, 0) + 1}

    async def _is_importing(self) -> bool:
        running = {"state": {"$in": ["queued", "running"]}, "kind": {"$in": [*_WRITERS]}}
        return await self._jobs.find_one(running, {"_id": 1}, hint="state") is not None

    async def _find_late(self, gaps: dict[ObjectId, int]) -> list[Row]:
        wanted = {
            "user": {"$in": [*gaps]},
            "_id": {"$gte": ObjectId.from_datetime(now() - _RECENT)},
            "via": {"$in": ["import", "bulk"]},
        }
        found = self._audit.find(wanted, hint="user").sort([("user", 1), ("_id", 1)])
        made = [MAKERS["audit"](entry, entry["at"]) async for entry in found]
        return [row for row in made if row is not None and (row["version"] or 0) < gaps[row["user"]]]


def sort(rows: Sequence[Row]) -> list[Row]:
    """Each user's events with versions change places among themselves; all others stay where they are."""
    places: dict[ObjectId, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if row["version"] is not None and row["user"] is not None:
            places[row["user"]].append(at)
    settled = list(rows)
    for own in places.values():
        for at, row in zip(
            own, sorted((rows[at] for at in own), key=lambda row: row["version"]), strict=True
        ):
            settled[at] = row
    return settled
