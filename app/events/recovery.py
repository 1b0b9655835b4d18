"""Finds what became no event where the change stream cannot go on: its token is older than the oplog."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta

from bson import ObjectId

from app.core.mongo import AWARE, Database, Row
from app.events.causes import MAKERS
from models.job import ENDED

_MARGIN = timedelta(minutes=10)
"""An entry's id is as old as its making: its transaction may commit a minute later, and clocks differ."""
_BATCH = 500


async def find(database: Database, seen_at: datetime, *, kept_s: int) -> AsyncGenerator[list[Row], None]:
    """Events, without places, of all that was written since shortly before `seen_at`; some have places.

    `kept_s`: how long the end of a session is kept, which has no time but that of its expiry.
    """
    since, kept = seen_at - _MARGIN, timedelta(seconds=kept_s)
    first = ObjectId.from_datetime(since)
    async for batch in _read(database, "audit", {"_id": {"$gte": first}}, "_id_"):
        yield [made for entry in batch if (made := MAKERS["audit"](entry, entry["at"]))]
    ended = {"expires_at": {"$gte": since + kept}}
    async for batch in _read(database, "ended_sessions", ended, "expires_at"):
        yield [made for end in batch if (made := MAKERS["ended_sessions"](end, end["expires_at"] - kept))]
    done = {"state": {"$in": sorted(ENDED)}, "ended_at": {"$gte": since}}
    async for batch in _read(database, "jobs", done, "state"):
        yield [made for job in batch if (made := MAKERS["jobs"](job, job["ended_at"]))]
    async for batch in _read(database, "webhooks", {"paused_at": {"$gte": since}}, "_id_"):
        yield [made for each in batch if (made := MAKERS["webhooks"](each, each["paused_at"]))]


async def _read(database: Database, name: str, wanted: Row, index: str) -> AsyncIterator[list[Row]]:
    documents = database.get_collection(name, codec_options=AWARE)
    async with documents.find(wanted, hint=index, batch_size=_BATCH) as found:
        while batch := await found.to_list(_BATCH):
            yield batch
