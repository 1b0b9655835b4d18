"""Readiness: whether the process can do its work, and what is missing."""

import asyncio
import time
from collections.abc import Callable, Mapping

import pymongo
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.core.errors import NotReadyError, UnavailableError
from app.core.mongo import Database
from app.database import driver_errors, indexes, probes
from app.database.redis_connection import RedisConnection, pack

BOUND_S = 1.0
"""The longest duration of a look, and how long its result is good."""

_TRIALS_GOOD_S = 10.0
_INDEXES_GOOD_S = 60.0
"""Indexes do not vanish by themselves, and asking for them costs a query for each collection."""

Parts = Mapping[str, str | None]


class Readiness:
    """Checks what the process needs, at most once a second however often it is asked."""

    def __init__(
        self,
        database: Database,
        redis_connection: RedisConnection,
        find_signing_key: Callable[[], object],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`find_signing_key` raises UnavailableError where no key can sign."""
        self._database = database
        self._connection = redis_connection
        self._find_signing_key = find_signing_key
        self._now = now
        self._lock = asyncio.Lock()
        self._found: Parts = {}
        self._good_until = self._indexes_good_until = now()
        self._trials_good_until: dict[str, float] = {}
        self._is_stopping = False

    def stop(self) -> None:
        """Make the process not ready from now on."""
        self._is_stopping = True

    async def check(self) -> None:
        """Raise NotReadyError, which says what is missing, unless all is there."""
        if self._is_stopping:
            raise NotReadyError("The process stops.")
        missing = [f"{part}: {wrong}" for part, wrong in (await self.look()).items() if wrong is not None]
        if missing:
            raise NotReadyError("; ".join(missing) + ".")

    async def look(self) -> Parts:
        """Each part with its problem, or None."""
        async with self._lock:
            if self._now() >= self._good_until:
                self._found = await self._ask()
                self._good_until = self._now() + BOUND_S
        return self._found

    async def _ask(self) -> Parts:
        mongodb, redis = await asyncio.gather(self._ask_mongodb(), self._ask_redis())
        return {
            "mongodb": mongodb,
            "redis": redis,
            "indexes": self._found.get("indexes") if mongodb else await self._ask_indexes(),
            "keys": self._ask_keys(),
        }

    async def _ask_mongodb(self) -> str | None:
        """Ask the primary, as sign-ins need to write."""
        try:
            with pymongo.timeout(BOUND_S / 2):
                hello = await self._database.command("hello")
        except PyMongoError as error:
            return _refused(error) or "no primary answers"
        if not hello.get("isWritablePrimary"):
            return "no primary answers"
        return await self._try_mongodb() if self._is_due("mongodb") else None

    async def _try_mongodb(self) -> str | None:
        """Probe MongoDB; a busy server that is only slow is no refusal."""
        try:
            with pymongo.timeout(BOUND_S / 2):
                await probes.probe_mongodb(self._database)
        except PyMongoError as error:
            return _refused(error)
        self._tried("mongodb")
        return None

    async def _ask_redis(self) -> str | None:
        """Ask over the connection that checks sessions, which no replica gets."""
        try:
            if self._is_due("redis"):
                await probes.probe_redis(self._connection)
                self._tried("redis")
            else:
                await self._connection.call(lambda _: pack("PING"), 1)
        except RedisError as error:
            return _refused(error) or "it does not answer"
        return None

    def _is_due(self, backend: str) -> bool:
        return self._now() >= self._trials_good_until.get(backend, 0)

    def _tried(self, backend: str) -> None:
        """Whether the backend passed its probe; a refusal is probed again at the next look."""
        self._trials_good_until[backend] = self._now() + _TRIALS_GOOD_S

    async def _ask_indexes(self) -> str | None:
        """What is wrong with the indexes; a busy server that is only slow changes nothing of it."""
        known = self._found.get("indexes")
        if self._now() < self._indexes_good_until:
            return known
        try:
            with pymongo.timeout(BOUND_S / 2):
                differing = await indexes.check(self._database)
        except PyMongoError as error:
            self._indexes_good_until = self._now() + _TRIALS_GOOD_S
            return _refused(error) or known
        wrong = [sentence for sentence in differing if "is not ours" not in sentence]
        if not wrong:
            self._indexes_good_until = self._now() + _INDEXES_GOOD_S
            return None
        return f"{len(wrong)} missing or different, which `python -m app indexes check` lists"

    def _ask_keys(self) -> str | None:
        try:
            self._find_signing_key()
        except UnavailableError:
            return "none can sign"
        return None


def _refused(error: Exception) -> str | None:
    return (
        f"it refuses what is needed ({driver_errors.explain(error)})"
        if driver_errors.is_refusal(error)
        else None
    )
