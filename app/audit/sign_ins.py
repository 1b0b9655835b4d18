"""Counts sign-ins by day (UTC) and outcome, for statistics: who signed in is in the log and at the user.

A process keeps its own counts, and writes what each has come to: written twice, nothing is counted twice.
"""

import asyncio
import secrets
from collections import Counter
from datetime import timedelta

import structlog
from pymongo.errors import PyMongoError

from app.core.clock import now
from app.core.mongo import Database
from models.statistics import SignInOutcome, StoredSignIns

log = structlog.get_logger("roster.statistics")

_PAUSE_S = 1.0
"""A process that is killed loses the counts of this time."""
_KEPT = timedelta(days=40)
"""Longer than any process is without a worker that sums the counts up."""


class SignIns:
    """The counts of one process; a new one after each start."""

    def __init__(self, database: Database) -> None:
        self._stored = database[StoredSignIns.Settings.name]
        self._process = secrets.token_hex(8)
        self._counts: dict[str, Counter[SignInOutcome]] = {}
        self._counted = asyncio.Event()

    def count(self, outcome: SignInOutcome) -> None:
        self._counts.setdefault(now().date().isoformat(), Counter())[outcome] += 1
        self._counted.set()

    async def keep_writing(self) -> None:
        """Write what was counted, soon after it was, until cancelled."""
        while True:
            await self._counted.wait()
            self._counted.clear()
            if not await self.write():
                self._counted.set()
            await asyncio.sleep(_PAUSE_S)

    async def write(self) -> bool:
        """Write the counts; False where MongoDB is away, and the next try will write the same and more."""
        try:
            for day, counts in list(self._counts.items()):
                about = {"day": day, "expires_at": now() + _KEPT}
                await self._stored.update_one(
                    {"_id": f"{day}:{self._process}"},
                    {"$max": dict(counts), "$setOnInsert": about},
                    upsert=True,
                )
                if day < now().date().isoformat():
                    self._counts.pop(day, None)
        except PyMongoError as error:
            log.warning("sign_ins_not_counted", error=type(error).__name__)
            return False
        return True
