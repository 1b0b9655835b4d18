"""Pages of lists, and those of documents by their ids, which grow with time or are names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
from pymongo import ASCENDING, DESCENDING

from app.core.cursors import CursorSealer, Position
from app.core.mongo import Collection, Row
from models.job import PageQuery

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What a page shows, and the sealed cursor of the next one."""

    items: list[T]
    next: str | None


def cut(found: list[T], limit: int, seal: Callable[[T], str]) -> Page[T]:
    """A page of what was read: one more than `limit` if another page follows, whose cursor `seal` makes."""
    items = found[:limit]
    return Page(items, seal(items[-1]) if len(found) > limit else None)


async def newest_first(
    documents: Collection, cursors: CursorSealer, wanted: Row, asked: PageQuery, *, hint: str | None = None
) -> Page[Row]:
    """One page. A cursor is good only for its collection and filter; the filter must not hold `_id`.

    `hint` is an index, where MongoDB might prefer one that leaves it to sort.
    """
    return await by_id(documents, cursors, wanted, asked, order=DESCENDING, hint=hint)


async def by_id(
    documents: Collection,
    cursors: CursorSealer,
    wanted: Row,
    asked: PageQuery,
    *,
    order: int = ASCENDING,
    hint: str | None = None,
) -> Page[Row]:
    """One page in the order of ids; the same of cursors and filters."""
    fingerprint = orjson.dumps([documents.name, wanted], default=str, option=orjson.OPT_SORT_KEYS)
    beyond = "$gt" if order == ASCENDING else "$lt"
    past = {} if asked.cursor is None else {"_id": {beyond: cursors.open(asked.cursor, fingerprint).id}}
    found = await documents.find(wanted | past, hint=hint).sort("_id", order).limit(asked.limit + 1).to_list()
    return cut(found, asked.limit, lambda last: cursors.seal(Position(0, None, last["_id"]), fingerprint))
