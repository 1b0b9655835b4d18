"""The couriers of a process: one for each webhook that no other process has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import structlog
from bson import ObjectId
from pymongo.errors import PyMongoError

from app.core.clock import now
from app.core.mongo import Collection, Row
from app.core.stopping import stop
from app.events.lease import Lease
from app.webhooks.courier import Courier, Tools

log = structlog.get_logger("roster.webhooks")

_LOOK_S = 0.5


@asynccontextmanager
async def delivering(webhooks: Collection, tools: Tools) -> AsyncIterator[None]:
    """Deliver until the block is left; then other processes go on at once."""
    couriers = _Couriers(webhooks, tools)
    looking = asyncio.create_task(couriers.run())
    try:
        yield
    finally:
        await stop(looking)
        await couriers.stop()


class _Couriers:
    def __init__(self, webhooks: Collection, tools: Tools) -> None:
        self._webhooks = webhooks
        self._tools = tools
        self._running: dict[ObjectId, tuple[Courier, asyncio.Task[None]]] = {}

    async def run(self) -> NoReturn:
        while True:
            try:
                await self._look()
            except PyMongoError as error:
                log.warning("webhooks_not_read", reason=type(error).__name__)
            await asyncio.sleep(_LOOK_S)

    async def stop(self, *left_out: ObjectId) -> None:
        """Stop all but these."""
        gone = [self._running.pop(key)[1] for key in {*self._running}.difference(left_out)]
        await stop(*gone)

    async def _look(self) -> None:
        active = {
            row["_id"]: row async for row in self._webhooks.find({"is_active": True, "paused_at": None})
        }
        self._running = {key: each for key, each in self._running.items() if not each[1].done()}
        await self.stop(*active)
        for key, row in active.items():
            if key in self._running:
                self._running[key][0].update(row)
            elif row["lease"] is None or row["lease_until"] < now():
                await self._begin(row)

    async def _begin(self, row: Row) -> None:
        lease = Lease(self._webhooks, row["_id"])
        if (webhook := await lease.take()) is not None:
            courier = Courier(self._tools, webhook, lease, self._webhooks)
            self._running[row["_id"]] = courier, asyncio.create_task(courier.run())
