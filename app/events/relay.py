"""The relay: follows the change stream and gives each event its place in the log.

One process at a time has the lease. Events, their places and the token go into one transaction that names the
lease, so that nothing gets two places, and no place is given twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, NoReturn

import structlog
from bson import Timestamp
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from app.core.mongo import AWARE, Database, Row
from app.core.stopping import stop
from app.database.transactions import together
from app.events import recovery, stream
from app.events.causes import make
from app.events.lease import Lease, LeaseLostError
from app.events.log import RELAY
from app.events.order import Order
from app.monitoring import metrics
from models.event import StoredEvent, StoredRelay

log = structlog.get_logger("roster.events")

_LOOK_S = 1.0
_TOGETHER_S = 0.1
"""What follows some events within this time is one transaction: each waits for the disk, as changes do."""
_TOLD_S = 2.0
"""How often the token is kept where nothing happens."""


@asynccontextmanager
async def relaying(database: Database, *, kept_s: int) -> AsyncIterator[None]:
    """Relay events until the block is left, whenever no other process does."""
    task = asyncio.create_task(Relay(database, kept_s=kept_s).run())
    try:
        yield
    finally:
        await stop(task)


class Relay:
    def __init__(self, database: Database, *, kept_s: int) -> None:
        """`kept_s`: how long ends of sessions are kept."""
        self._database = database
        self._kept_s = kept_s
        self._state = database.get_collection(StoredRelay.Settings.name, codec_options=AWARE)
        self._order = Order(database)
        self._told_at = 0.0

    async def run(self) -> NoReturn:
        while True:
            try:
                await self._take_turn()
            except (PyMongoError, LeaseLostError, TimeoutError) as error:
                log.warning("events_wait", reason=type(error).__name__, code=getattr(error, "code", None))
            await asyncio.sleep(_LOOK_S)

    async def _take_turn(self) -> None:
        lease = Lease(self._state, RELAY)
        state = await lease.take()
        if state is None:
            return
        async with lease.renewed():
            try:
                await self._follow(lease, state)
            except OperationFailure as failure:
                if not stream.is_lost(failure):
                    raise
                await self._recover(lease, state)

    async def _follow(self, lease: Lease, state: Row) -> None:
        start = {"startAtOperationTime": state["began"]}
        if state["token"] is not None:
            start = {"resumeAfter": state["token"]}
        async with aclosing(stream.follow(self._database, start)) as batches:
            async for changes, token in batches:
                rows = [row for change in changes if (row := make(change)) is not None]
                seen = {"$literal": changes[-1]["clusterTime"].as_datetime()} if changes else "$$NOW"
                if rows or time.monotonic() - self._told_at >= _TOLD_S:
                    await self._place(lease, rows, {"token": {"$literal": token}, "seen_at": seen})
                if rows:
                    await asyncio.sleep(_TOGETHER_S)

    async def _recover(self, lease: Lease, state: Row) -> None:
        """Place what is not, and follow the stream from now on: the next turn does."""
        log.warning("events_recovered", since=state["seen_at"].isoformat())
        began: Timestamp = (await self._database.command("ping"))["operationTime"]
        async for rows in recovery.find(self._database, state["seen_at"], kept_s=self._kept_s):
            await self._place(lease, rows, {})
        await self._place(lease, [], {"token": None, "began": {"$literal": began}, "seen_at": "$$NOW"})

    async def _place(self, lease: Lease, found: list[Row], fields: dict[str, Any]) -> None:
        """Give events the next places, and keep how far the stream was read. LeaseLostError."""
        rows = await self._order.settle(found) if found else []

        async def write(session: AsyncClientSession) -> None:
            state = await self._state.find_one_and_update(
                lease.held,
                [{"$set": {**fields, **_next(len(rows))}}],
                session=session,
                return_document=ReturnDocument.AFTER,
            )
            if state is None:
                raise LeaseLostError
            if rows:
                await self._events.insert_many(_placed(rows, state), session=session)

        await together(self._database.client, write)
        self._told_at = time.monotonic()
        for row in rows:
            metrics.EVENTS.labels(row["type"]).inc()

    @property
    def _events(self) -> Any:
        return self._database[StoredEvent.Settings.name]


def _next(count: int) -> dict[str, Any]:
    """The place of the last of so many events, and when it is given: never before that of earlier ones."""
    if not count:
        return {}
    return {
        "position": {"$add": ["$position", count]},
        "placed_at": {"$max": ["$placed_at", "$$NOW"]},
    }


def _placed(rows: Sequence[Row], state: Row) -> list[Row]:
    first = state["position"] - len(rows) + 1
    return [{"_id": first + at, "placed_at": state["placed_at"], **row} for at, row in enumerate(rows)]
