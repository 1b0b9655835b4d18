"""Reads for callers: by the primary, or where it does not answer soon, by a secondary."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import TypeVar

import pymongo
import structlog
from bson import ObjectId, Timestamp
from pymongo import ReadPreference
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from app.core.errors import UnavailableError
from app.core.freshness import FRESHNESS, find_seen
from app.core.mongo import Collection
from app.database.nodes import Node, see

log = structlog.get_logger("roster.reads")

T = TypeVar("T")
_PATIENCE_S = 0.3
"""After which a read is not merely slow, unless the primary answers a ping."""
_PING_S = 0.3
_TIME_S = 0.5
_AGAIN_S = 0.1
_BY_SECONDARY_S = 2.0
_UNHEARD_OF = 72
"""MongoDB's code for a time that a node has not heard of yet."""
_NOBODY = ObjectId("0" * 24)


@dataclass(frozen=True, slots=True)
class _Secondary:
    node: Node
    at: Timestamp
    """It has all that the majority had then."""


class Reads:
    """Runs reads, and keeps watch on the primary while it does not answer."""

    def __init__(self, users: Collection, *, stale_s: int) -> None:
        """`stale_s`: how old an answer may be; 0: secondaries are never asked."""
        self._users = users
        self._stale_s = stale_s
        self._instead: _Secondary | None = None
        """Who is asked while the primary does not answer."""
        self._waiting: set[asyncio.Timeout] = set()
        """The limits of reads that have waited long, until it is known whether the primary answers a ping."""
        self._watch: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Collection], Awaitable[T]]) -> T:
        """The result of `work` on the users; perhaps done again on those of a secondary.

        It sees the write that the caller has seen (`Operation-Time`). InvalidError if that is none;
        UnavailableError if no node is as fresh as it has to be.
        """
        seen = find_seen()
        try:
            if self._instead is None:
                return await self._by_primary(work, seen)
        except (AutoReconnect, TimeoutError):
            self._doubt()
            if (instead := self._instead or await self._find_freshest()) is None:
                raise
            return await self._by_secondary(work, seen, instead)
        return await self._by_secondary(work, seen, self._instead)

    def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _by_primary(self, work: Callable[[Collection], Awaitable[T]], seen: Timestamp | None) -> T:
        """TimeoutError as soon as the primary is known not to answer."""
        users = self._users if seen is None else see(self._users, seen, ReadPreference.PRIMARY, "local")
        limit = asyncio.timeout(None)
        timer = asyncio.get_running_loop().call_later(_PATIENCE_S, self._doubt, limit)
        try:
            async with limit:
                return await work(users)
        except OperationFailure as error:
            raise _translate(error) from None
        finally:
            timer.cancel()
            self._waiting.discard(limit)

    def _doubt(self, limit: asyncio.Timeout | None = None) -> None:
        if not self._stale_s:
            return
        if limit is not None:
            self._waiting.add(limit)
        if self._watch is None:
            self._watch = asyncio.create_task(self._find_out(), context=Context())

    async def _find_out(self) -> None:
        """While the primary answers no ping, reads go to a secondary at once, where there is one."""
        try:
            while True:
                answers, freshest = await asyncio.gather(self._answers(), self._find_freshest())
                freshest = freshest or self._instead
                if answers or freshest is None:
                    return
                if self._instead is None:
                    log.warning("reads_by_secondaries")
                self._instead = freshest
                for limit in self._waiting:
                    limit.reschedule(0)
                self._waiting.clear()
                await asyncio.sleep(_AGAIN_S)
        finally:
            if self._instead is not None:
                log.info("reads_by_primary")
            self._instead = self._watch = None
            self._waiting.clear()

    async def _answers(self) -> bool:
        try:
            with pymongo.timeout(_PING_S):
                await self._users.database.command("ping")
        except PyMongoError:
            return False
        return True

    async def _find_freshest(self) -> _Secondary | None:
        """The secondary that has most of what the majority has; None where none answers or may be asked."""
        if not self._stale_s:
            return None
        nodes = map(Node, await self._users.database.client.secondaries)
        found = await asyncio.gather(*map(self._find_time, nodes))
        return max((one for one in found if one is not None), key=lambda one: one.at, default=None)

    async def _find_time(self, node: Node) -> _Secondary | None:
        """Up to when it has all that the majority has: MongoDB's `operationTime` of such a read."""
        nobody = {"find": self._users.name, "filter": {"_id": _NOBODY}, "readConcern": {"level": "majority"}}
        try:
            with pymongo.timeout(_TIME_S):
                reply = await self._users.database.command(nobody, read_preference=node)
        except PyMongoError:
            return None
        return _Secondary(node, reply["operationTime"])

    async def _by_secondary(
        self, work: Callable[[Collection], Awaitable[T]], seen: Timestamp | None, asked: _Secondary
    ) -> T:
        age_s = max(0, round(time.time()) - asked.at.time)
        if age_s > self._stale_s:
            raise UnavailableError("No primary answers, and no other node is fresh enough: try again.")
        if (freshness := FRESHNESS.get()) is not None:  # a 404 is as old
            freshness.age_s = age_s
        at = asked.at if seen is None else max(asked.at, seen)
        try:
            with pymongo.timeout(_BY_SECONDARY_S):
                return await work(see(self._users, at, asked.node, "majority"))
        except OperationFailure as error:
            raise _translate(error) from None


def _translate(error: OperationFailure) -> Exception:
    if error.code == _UNHEARD_OF:
        return UnavailableError("No node has the write of this Operation-Time yet: try again.")
    return error
