"""What provisioning clients asked lately: the last requests, those that failed, and counts of each day.

No request waits for it: a process notes in memory, bounded for each client, and writes once a second. What
MongoDB does not take then, or a killed process held, is lost.
"""

import asyncio
from collections import Counter, deque
from datetime import timedelta
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from app.core.clock import now
from app.core.mongo import AWARE, Database, Row
from models.provisioned import KEPT_DAYS, MOST_REQUESTS, Outcome, StoredActivity, StoredActivityDay

log = structlog.get_logger("roster.scim")

_PAUSE_S = 1.0
_REQUESTS_KEPT = timedelta(days=30)
_LONGEST_PATH = 200
_LONGEST_DETAIL = 500
_OUTCOMES: dict[int, Outcome] = {4: "refused", 5: "failed"}
_THROTTLED = 429
_TOLD_WHY: tuple[Outcome, ...] = ("refused", "failed")
"""What is a failure: 429s come by the hundred, and would leave no room for the others."""


class _Noted:
    """What is not written yet of one client."""

    def __init__(self) -> None:
        self.requests: deque[Row] = deque(maxlen=MOST_REQUESTS)
        self.failures: deque[Row] = deque(maxlen=MOST_REQUESTS)
        self.counts: dict[str, Counter[Outcome]] = {}


class Activity:
    """Of clients by their `subject`, so that one that is registered anew begins anew."""

    def __init__(self, database: Database) -> None:
        self._latest = database.get_collection(StoredActivity.Settings.name, codec_options=AWARE)
        self._days = database.get_collection(StoredActivityDay.Settings.name, codec_options=AWARE)
        self._noted: dict[str, _Noted] = {}
        self._is_noted = asyncio.Event()

    def record(
        self,
        client: str,
        *,
        method: str,
        path: str,
        status: int,
        scim_type: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Note a request. `path`: without its query, whose filters name people."""
        noted, at = self._noted.setdefault(client, _Noted()), now()
        request = {
            "at": at,
            "method": method,
            "path": _bounded(path, _LONGEST_PATH),
            "status": status,
            "scim_type": scim_type,
            "detail": None if detail is None else _bounded(detail, _LONGEST_DETAIL),
        }
        outcome: Outcome = "throttled" if status == _THROTTLED else _OUTCOMES.get(status // 100, "succeeded")
        noted.requests.append(request)
        if outcome in _TOLD_WHY:
            noted.failures.append(request)
        noted.counts.setdefault(at.date().isoformat(), Counter())[outcome] += 1
        self._is_noted.set()

    async def keep_writing(self) -> None:
        """Write what was noted, soon after it was, until cancelled."""
        while True:
            await self._is_noted.wait()
            self._is_noted.clear()
            await self.write()
            await asyncio.sleep(_PAUSE_S)

    async def write(self) -> None:
        """Write what was noted; where MongoDB is away it is lost, which the log says."""
        noted, self._noted = self._noted, {}
        try:
            for client, each in noted.items():
                await self._write(client, each)
        except PyMongoError as error:
            log.warning("provisioning_activity_lost", error=type(error).__name__)

    async def _write(self, client: str, noted: _Noted) -> None:
        await self._latest.update_one(
            {"_id": client},
            {
                "$push": {"requests": _newest(noted.requests), "failures": _newest(noted.failures)},
                "$set": {"expires_at": now() + _REQUESTS_KEPT},
            },
            upsert=True,
        )
        for day, counts in noted.counts.items():
            about = {"client": client, "day": day, "expires_at": now() + timedelta(days=KEPT_DAYS)}
            await self._days.update_one(
                {"_id": f"{client}:{day}"}, {"$inc": dict(counts), "$setOnInsert": about}, upsert=True
            )

    async def read(self, client: str) -> dict[str, Any]:
        """`requests` and `failures`, the newest first, and `days`, the latest first."""
        latest = await self._latest.find_one({"_id": client}) or {"requests": [], "failures": []}
        days = self._days.find({"client": client}, sort=[("day", -1)], limit=KEPT_DAYS)
        return {
            "requests": _by_time(latest["requests"]),
            "failures": _by_time(latest["failures"]),
            "days": await days.to_list(),
        }


def _bounded(text: str, longest: int) -> str:
    """The beginning of a text that a client may have chosen, as MongoDB and JSON can hold it."""
    return text[:longest].replace("\0", "\ufffd").encode(errors="replace").decode()


def _newest(requests: deque[Row]) -> dict[str, Any]:
    """What is pushed of these: the list ends with what was written last."""
    return {"$each": list(requests), "$slice": -MOST_REQUESTS}


def _by_time(requests: list[Row]) -> list[Row]:
    """The newest first: of several processes, each wrote its own at its time."""
    return sorted(requests, key=lambda request: request["at"])[::-1]
