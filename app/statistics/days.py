"""People and sign-ins of each day, in UTC: counted anew from what is stored until the day is final.

Counting again gives the same, so any process may do it at any time. Creations and deletions are those of the
audit trail, whose ids tell the day; of days before it only people who are still there are known.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.mongo import AWARE, Database, Row
from app.database.transactions import transaction
from models.statistics import SignInOutcome, StoredDay, StoredSignIns
from models.user import User

DAY = timedelta(days=1)
_LATE = timedelta(hours=1)
"""How long after a day's end its last transactions and counts may come."""
_LONGEST = timedelta(days=3_660)
_OUTCOMES: tuple[SignInOutcome, ...] = ("succeeded", "failed", "throttled")
_Counts = Mapping[datetime, int]


@dataclass(frozen=True, slots=True)
class _People:
    """What was counted of people at one moment, by day."""

    total: int
    still_there: _Counts
    created: _Counts
    deleted: _Counts
    known_since: datetime
    """The first day whose changes the trail holds as a whole."""

    def rows(self, since: datetime, today: datetime) -> dict[datetime, Row]:
        """The figures of each day, back from today: a day began with what it ended with, less its changes."""
        found, total, day = {}, self.total, today
        while day >= since:
            created = max(self.created.get(day, 0), self.still_there.get(day, 0))
            deleted = self.deleted.get(day, 0)
            is_known = day >= self.known_since
            found[day] = {"created": created, "deleted": deleted if is_known else None, "total": total}
            total = max(0, total - created + deleted)
            day -= DAY
        return found


class Days:
    """The figures of days: rolled up, and read."""

    def __init__(self, database: Database) -> None:
        self._users = database.get_collection(User.Settings.name, codec_options=AWARE)
        self._audit = database.get_collection("audit", codec_options=AWARE)
        self._sign_ins = database[StoredSignIns.Settings.name]
        self._days = database[StoredDay.Settings.name]

    async def read(self, since: str, until: str) -> list[Row]:
        """The stored days between these, in order."""
        return await self._days.find({"_id": {"$gte": since, "$lte": until}}).sort("_id").to_list()

    async def roll_up(self, moment: datetime, sign_ins_since: str) -> int:
        """Count all days that are not final, and store them; the number of people now.

        Days before counting began are final as soon as the first day of it is: who sets a directory up brings
        people into it by ways that the trail does not know.
        """
        today, began = _midnight(moment), _read_day(sign_ins_since)
        async with self._days.database.client.start_session() as session, transaction(session):
            since = await self._find_first_open(today, session)
            people = await self._count_people(since, today, session)
        sign_ins = await self._count_sign_ins(since)
        rows = [
            (day, figures | {"sign_ins": sign_ins[_name(day)] if _name(day) >= sign_ins_since else None})
            for day, figures in people.rows(since, today).items()
        ]
        await self._days.bulk_write(
            [_store(day, row, is_final=moment >= max(day, began) + DAY + _LATE) for day, row in rows]
        )
        return people.total

    async def _find_first_open(self, today: datetime, session: AsyncClientSession) -> datetime:
        """The day after the last final one; before there is any, the first that something is known of."""
        last = await self._days.find_one({"is_final": True}, sort=[("_id", -1)])
        if last is not None:
            return _read_day(last["_id"]) + DAY
        known = (await self._find_first_person(today, session), await self._find_trail(session))
        return min((each for each in known if each is not None), default=today)

    async def _find_first_person(self, today: datetime, session: AsyncClientSession) -> datetime | None:
        made = {"created_at": {"$gte": today - _LONGEST, "$lt": today + DAY}}
        order = [("created_at", 1)]
        found = await self._users.find_one(
            made, {"created_at": 1}, sort=order, hint="created_at", session=session
        )
        return _midnight(found["created_at"]) if found else None

    async def _find_trail(self, session: AsyncClientSession) -> datetime | None:
        first = await self._audit.find_one({}, {"_id": 1}, sort=[("_id", 1)], session=session)
        return _midnight(first["_id"].generation_time) if first else None

    async def _count_people(self, since: datetime, today: datetime, session: AsyncClientSession) -> _People:
        range_ = {"$gte": since, "$lt": today + DAY}
        still_there = await self._group(
            self._users, {"created_at": range_}, "created_at", "created_at", session
        )
        changes: dict[str, _Counts] = {}
        for action in ("created", "deleted"):
            wanted = {"action": action, "_id": {"$gte": ObjectId.from_datetime(since)}}
            changes[action] = await self._group(self._audit, wanted, "_id", "action", session)
        trail = await self._find_trail(session) or today
        first = await self._find_first_person(today, session)
        is_whole = first is None or first >= trail  # the directory is as young as the trail
        return _People(
            total=await self._users.count_documents({}, hint="_id_", session=session),
            still_there=still_there,
            **changes,
            known_since=trail if is_whole else trail + DAY,
        )

    async def _group(
        self, documents: Any, wanted: Row, path: str, index: str, session: AsyncClientSession
    ) -> _Counts:
        """How many of the wanted documents there are of each day, by the index alone."""
        day = {"$dateTrunc": {"date": f"${path}", "unit": "day"}}
        pipeline = [{"$match": wanted}, {"$group": {"_id": day, "n": {"$sum": 1}}}]
        async with await documents.aggregate(pipeline, hint=index, session=session) as found:
            return {row["_id"]: row["n"] async for row in found}

    async def _count_sign_ins(self, since: datetime) -> Mapping[str, dict[SignInOutcome, int]]:
        """The sum of what all processes counted, by day."""
        sums: Row = {outcome: {"$sum": f"${outcome}"} for outcome in _OUTCOMES}
        pipeline = [{"$match": {"day": {"$gte": _name(since)}}}, {"$group": sums | {"_id": "$day"}}]
        counted: dict[str, dict[SignInOutcome, int]] = defaultdict(lambda: dict.fromkeys(_OUTCOMES, 0))
        async with await self._sign_ins.aggregate(pipeline, hint="day") as found:
            async for row in found:
                counted[row["_id"]] = {outcome: row[outcome] for outcome in _OUTCOMES}
        return counted


def _store(day: datetime, row: Row, *, is_final: bool) -> UpdateOne:
    """The write of a day, unless it is final already: another process may have been slower, or quicker."""
    new = {"$literal": {"_id": _name(day), **row, "is_final": is_final}}
    kept = {"$cond": [{"$eq": ["$is_final", True]}, "$$ROOT", new]}
    return UpdateOne({"_id": _name(day)}, [{"$replaceWith": kept}], upsert=True)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _read_day(name: str) -> datetime:
    return datetime.fromisoformat(f"{name}T00:00Z")


def _name(day: datetime) -> str:
    return day.date().isoformat()
