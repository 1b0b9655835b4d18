"""Reads the audit trail, which `app.audit.write` writes."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from bson import ObjectId
from pymongo import DESCENDING

from app.audit.write import Entry
from app.core.cursors import CursorSealer, Position
from app.core.errors import FieldError, QueryTooExpensiveError
from app.core.mongo import AWARE, Database
from app.core.paging import Page, cut
from app.core.time_budget import OverBudgetError, busy, within
from models.audit import AuditQuery

_SECOND = timedelta(seconds=1)

_MOST_READ = 1_000
"""Entries of one user that are looked through for the last change of a field."""


class AuditLog:
    """Reads the audit trail, a page at a time."""

    def __init__(self, database: Database, cursors: CursorSealer, *, budget_s: float) -> None:
        self._audit = database.get_collection("audit", codec_options=AWARE)
        self._cursors = cursors
        self._budget_s = budget_s

    async def find(self, asked: AuditQuery) -> Page[Entry]:
        """A page of entries, the newest first; a cursor is bound to its filters.

        Past the budget QueryTooExpensiveError, or OverloadedError where the filters are cheap.
        """
        wanted = matching(asked)
        fingerprint = orjson.dumps(["audit", asked.model_dump(mode="json", exclude={"cursor", "limit"})])
        if asked.cursor is not None:
            wanted["$and"] = [{"_id": {"$lt": self._cursors.open(asked.cursor, fingerprint).id}}]
        try:
            found = await within(self._budget_s, self._audit, self._read(wanted, asked))
        except OverBudgetError:
            if _is_cheap(asked):
                raise busy() from None
            raise QueryTooExpensiveError(
                "These filters leave too many changes to read.",
                errors=(FieldError(parameter="user", detail="Name a user, or a shorter time."),),
            ) from None
        return cut(
            found, asked.limit, lambda last: self._cursors.seal(Position(0, None, last["_id"]), fingerprint)
        )

    async def _read(self, wanted: dict[str, Any], asked: AuditQuery) -> list[Entry]:
        found = self._audit.find(wanted, hint=index(asked)).sort("_id", DESCENDING).limit(asked.limit + 1)
        return await found.to_list()


async def find_last(database: Database, user_id: ObjectId, pointer: str) -> Entry | None:
    """The last change of a user's field, if it is among their last thousand and still kept."""
    stages: list[dict[str, Any]] = [
        {"$match": {"user": user_id}},
        {"$sort": {"_id": DESCENDING}},
        {"$limit": _MOST_READ},
        {"$match": {"differences.pointer": pointer}},
        {"$limit": 1},
    ]
    async with await database["audit"].aggregate(stages, hint="user") as found:
        return await anext(found, None)


def matching(asked: AuditQuery) -> dict[str, Any]:
    """The filter of a query; bounds on ids, which grow with time, spare an index of times."""
    wanted: dict[str, Any] = {}
    if asked.user is not None:
        wanted["user"] = ObjectId(asked.user)
    if asked.by is not None:
        wanted["by"] = ObjectId(asked.by)
    if asked.action:
        wanted["action"] = {"$in": sorted(set(asked.action))}
    if asked.since is not None:
        wanted |= {"_id": {"$gte": _first(asked.since)}, "at": {"$gte": asked.since}}
    if asked.until is not None:
        wanted["_id"] = wanted.get("_id", {}) | {"$lt": _first(asked.until + _SECOND)}
        wanted["at"] = wanted.get("at", {}) | {"$lte": asked.until}
    return wanted


def _first(moment: datetime) -> ObjectId:
    """An id before all ids of its second; times before 1970 and after 2106 have no ids of their own."""
    bounded = min(max(moment.timestamp(), 0), 2**32 - 1)
    return ObjectId(int(bounded).to_bytes(4, "big") + bytes(8))


def _is_cheap(asked: AuditQuery) -> bool:
    """Whether the index holds exactly the wanted entries."""
    return [asked.user, asked.by, asked.action or None].count(None) > 1


def index(asked: AuditQuery) -> str:
    """The index that leaves the least to read, in the order of ids."""
    if asked.user is not None:
        return "user"
    if asked.by is not None:
        return "by"
    return "action" if asked.action else "_id_"
