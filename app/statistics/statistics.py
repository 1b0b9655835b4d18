"""The statistics of the directory: kept by a periodic task, read by callers."""

import time
from datetime import datetime, timedelta

import pymongo
from pymongo.errors import DuplicateKeyError, PyMongoError

from app.core.clock import now
from app.core.errors import FieldError, InvalidError
from app.core.mongo import AWARE, Database, Row
from app.jobs import Jobs
from app.mail import Outbox
from app.statistics import shares
from app.statistics.days import DAY, Days
from models.statistics import ACTIVE_DAYS, MOST_DAYS, SERIES, StatisticsQuery, StoredFigures
from models.user import User

_ID = "now"
_EVERY = timedelta(minutes=1)
_SHARE = 100
"""Counting takes at most one part in so many of the time of one connection."""
_LEASE = timedelta(minutes=10)
_DEFAULT_DAYS = 90


class Statistics:
    """Counts what a process may count while others serve, and answers from what was counted."""

    def __init__(self, database: Database, jobs: Jobs, outbox: Outbox) -> None:
        self._figures = database.get_collection(StoredFigures.Settings.name, codec_options=AWARE)
        self._users = database[User.Settings.name]
        self._days = Days(database)
        self._jobs = jobs
        self._outbox = outbox

    async def roll_up_when_due(self) -> None:
        """Count, unless another process did a short while ago, or does now."""
        await self._begin()
        moment = now()
        claimed = {"_id": _ID, "due_at": {"$lte": moment}}
        if (await self._figures.update_one(claimed, {"$set": {"due_at": moment + _LEASE}})).modified_count:
            try:
                await self.roll_up()
            except PyMongoError:
                await self._figures.update_one({"_id": _ID}, {"$set": {"due_at": now() + _EVERY}})
                raise

    async def _begin(self) -> None:
        moment = now()
        first = {"due_at": moment, "sign_ins_since": moment.date().isoformat()}
        try:
            await self._figures.update_one({"_id": _ID}, {"$setOnInsert": first}, upsert=True)
        except DuplicateKeyError:
            return  # another process was quicker

    async def roll_up(self) -> None:
        """Count everything and store it; the more there is to count, the longer until the next time."""
        await self._begin()
        began, moment = time.monotonic(), now()
        with pymongo.timeout(_LEASE.total_seconds()):
            held = await self._figures.find_one({"_id": _ID}) or {}
            people = await self._days.roll_up(moment, held["sign_ins_since"])
            figures = {
                "at": moment,
                "active": [
                    {"days": days, "people": await self._count_active(moment, days)} for days in ACTIVE_DAYS
                ],
                "shares": await shares.count_all(self._users, people),
            }
        pause = max(_EVERY, _SHARE * timedelta(seconds=time.monotonic() - began))
        await self._figures.update_one({"_id": _ID}, {"$set": figures | {"due_at": now() + pause}})

    async def _count_active(self, moment: datetime, days: int) -> int:
        since = {"last_login_at": {"$gte": moment - days * DAY}}
        return await self._users.count_documents(since, hint="last_login_at")

    async def read(self, asked: StatisticsQuery) -> Row:
        """The asked series, as stored. InvalidError: days that are no range, or too many."""
        since, until = _range(asked)
        figures = await self._figures.find_one({"_id": _ID}) or {}
        wanted = set(asked.series) or set(SERIES)
        found: Row = {"as_of": figures.get("at"), "timezone": "UTC"}
        if wanted & {"people", "sign_ins"}:
            found |= _series(await self._days.read(since, until))
        if "queues" in wanted:
            found["queues"] = await self._measure_queues()
        if figures.get("at") is not None:
            found["active"] = figures["active"]
            found |= {name: _cut(share, asked.top) for name, share in figures["shares"].items()}
        return {name: value for name, value in found.items() if name in {*wanted, "as_of", "timezone"}}

    async def _measure_queues(self) -> list[Row]:
        waiting, _ = await self._outbox.measure()
        jobs = await self._jobs.count_open()
        return [
            {"name": "mails", "state": "waiting", "count": waiting},
            *({"name": kind, "state": state, "count": number} for (kind, state), number in jobs.items()),
        ]


def _range(asked: StatisticsQuery) -> tuple[str, str]:
    until = asked.until or now().date()
    since = asked.since or until - timedelta(days=_DEFAULT_DAYS - 1)
    if not since <= until < since + timedelta(days=MOST_DAYS):
        detail = f"Must be at most {MOST_DAYS} days before `to`, and not after it."
        raise InvalidError("The days are no range.", errors=(FieldError(detail, parameter="from"),))
    return since.isoformat(), until.isoformat()


def _series(days: list[Row]) -> Row:
    return {
        "people": [
            {"day": day["_id"], **{name: day[name] for name in ("created", "deleted", "total")}}
            for day in days
        ],
        "sign_ins": [{"day": day["_id"], **day["sign_ins"]} for day in days if day["sign_ins"] is not None],
    }


def _cut(share: Row, top: int) -> Row:
    items = share["items"][:top]
    return {
        "items": items,
        "others": share["all"] - sum(item["people"] for item in items),
        "missing": share["missing"],
    }
