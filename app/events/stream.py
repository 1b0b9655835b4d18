"""The change stream that events are made of, batch by batch.

PyMongo's own stream hands out one change at a time and hides where a batch ends, which is where the token is
kept; so its two commands are sent here.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from app.core.mongo import AWARE, Database, Row
from app.events.causes import CHANGES

_BATCH = 500
_AWAITED_MS = 1_000
_SILENT_S = 30.0
"""A primary that says nothing for so long is given up."""
_LOST = frozenset({260, 280, 286})
"""InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost: the oplog has rolled over, or is
another's."""

Batch = tuple[list[Row], Row]
"""Changes in the order of commits, perhaps none, and the token of what follows them."""


def is_lost(failure: OperationFailure) -> bool:
    """Whether the stream can never go on from this token."""
    return failure.code in _LOST


async def follow(database: Database, start: Mapping[str, Any]) -> AsyncGenerator[Batch, None]:
    """Batches without end, one each second at least. `start` is an option of `$changeStream` by its name."""
    stream = {"$changeStream": {"fullDocument": "updateLookup", **start}}
    begin = {"aggregate": 1, "pipeline": [stream, {"$match": {"$or": CHANGES}}], "cursor": {"batchSize": 0}}
    async with database.client.start_session() as session:
        cursor = (await _send(database, begin, session))["cursor"]
        more = {"getMore": cursor["id"], "collection": "$cmd.aggregate"}
        more |= {"batchSize": _BATCH, "maxTimeMS": _AWAITED_MS}
        try:
            while True:
                found = (await _send(database, more, session))["cursor"]
                yield found["nextBatch"], found["postBatchResumeToken"]
        finally:
            with suppress(PyMongoError, TimeoutError):
                done = {"killCursors": "$cmd.aggregate", "cursors": [cursor["id"]]}
                await _send(database, done, session)


async def _send(database: Database, command: Row, session: AsyncClientSession) -> Row:
    with pymongo.timeout(0):  # it would replace the time for which MongoDB waits
        async with asyncio.timeout(_SILENT_S):
            return await database.command(command, session=session, codec_options=AWARE)
