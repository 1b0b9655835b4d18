"""Pages of documents by their ids, which grow with time (jobs, exports, schedules) or are names (clients)."""

from dataclasses import dataclass
from typing import Any

import orjson
from pymongo import ASCENDING, DESCENDING

from app.core.cursors import CursorSealer, Position
from app.core.mongo import Collection


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page of documents, and the sealed cursor of the next page."""

    documents: list[dict[str, Any]]
    next: str | None


async def newest_first(
    documents: Collection,
    cursors: CursorSealer,
    wanted: dict[str, Any],
    *,
    limit: int,
    cursor: str | None,
) -> DocumentPage:
    """One page. A cursor is good only for its collection and filter; the filter must not hold `_id`."""
    return await by_id(documents, cursors, wanted, limit=limit, cursor=cursor, order=DESCENDING)


async def by_id(
    documents: Collection,
    cursors: CursorSealer,
    wanted: dict[str, Any],
    *,
    limit: int,
    cursor: str | None,
    order: int = ASCENDING,
) -> DocumentPage:
    """One page in the order of ids; the same of cursors and filters."""
    fingerprint = orjson.dumps([documents.name, wanted], option=orjson.OPT_SORT_KEYS)
    beyond = "$gt" if order == ASCENDING else "$lt"
    past = {"_id": {beyond: cursors.open(cursor, fingerprint).id}} if cursor is not None else {}
    found = await documents.find(wanted | past).sort("_id", order).limit(limit + 1).to_list()
    page = found[:limit]
    if len(found) <= limit:
        return DocumentPage(page, None)
    last = Position(segment=0, value=None, id=page[-1]["_id"])
    return DocumentPage(page, cursors.seal(last, fingerprint))
