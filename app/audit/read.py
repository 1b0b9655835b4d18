"""The audit trail as it is read: `app.audit.write` writes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from bson import ObjectId
from pymongo import DESCENDING

from app.audit.write import Entry
from app.core.cursors import CursorSealer, Position
from app.core.errors import FieldError, QueryTooExpensiveError
from app.core.mongo import Collection, Database
from app.core.time_budget import OverBudgetError, busy, within
from models.audit import AuditQuery

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class EntryPage:
    entries: list[Entry]
    next: str | None


async def find(database: Database, cursors: CursorSealer, asked: AuditQuery, *, budget_s: float) -> EntryPage:
    """The newest first. Any cursor is good for the filters it was made for.

    QueryTooExpensiveError where the filters leave too much to read through, OverloadedError where they do not
    and it takes too long all the same.
    """
    wanted = matching(asked)
    fingerprint = orjson.dumps(["audit", asked.model_dump(mode="json", exclude={"cursor", "limit"})])
    if asked.cursor is not None:
        wanted["$and"] = [{"_id": {"$lt": cursors.open(asked.cursor, fingerprint).id}}]
    audit = database["audit"]
    try:
        found = await within(budget_s, audit, _read(audit, wanted, asked))
    except OverBudgetError:
        if _is_cheap(asked):
            raise busy() from None
        raise QueryTooExpensiveError(
            "Too many changes would have to be looked through.",
            errors=(FieldError(parameter="user", detail="Name the user, or a shorter time."),),
        ) from None
    entries = found[: asked.limit]
    if len(found) <= asked.limit:
        return EntryPage(entries, None)
    return EntryPage(
        entries, cursors.seal(Position(segment=0, value=None, id=entries[-1]["_id"]), fingerprint)
    )


async def _read(audit: Collection, wanted: dict[str, Any], asked: AuditQuery) -> list[Entry]:
    found = audit.find(wanted, hint=index(asked)).sort("_id", DESCENDING).limit(asked.limit + 1)
    return await found.to_list()


def matching(asked: AuditQuery) -> dict[str, Any]:
    """The ids stand in the order of time, to the second: bounds on them spare the index of times."""
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
    """Before all ids of its second; those before 1970 and after 2106 have none of their own."""
    bounded = min(max(moment.timestamp(), 0), 2**32 - 1)
    return ObjectId(int(bounded).to_bytes(4, "big") + bytes(8))


def _is_cheap(asked: AuditQuery) -> bool:
    """Whether the index holds just the entries asked for."""
    return [asked.user, asked.by, asked.action or None].count(None) > 1


def index(asked: AuditQuery) -> str:
    """The one that leaves the least to read through, in the order of the ids."""
    if asked.user is not None:
        return "user"
    if asked.by is not None:
        return "by"
    return "action" if asked.action else "_id_"
