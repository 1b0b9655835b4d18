"""One page of users by cursor or offset, and the stream of all of them, in the same order."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ExecutionTimeout

from app.cursors import Position
from app.errors import QueryTooExpensiveError, UnavailableError
from app.listing.queries import Query
from app.rows import Row

Users = AsyncCollection[dict[str, Any]]
Projection = dict[str, int]
STREAM_ROWS = 500
"""Rows a batch of a stream: each is decoded and written in one go of a few milliseconds of a thread."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as stored, in the order asked for, and the positions from which its neighbours start."""

    rows: list[Row]
    next: Position | None
    previous: Position | None


async def page(
    users: Users,
    query: Query,
    projection: Projection,
    *,
    limit: int,
    start: Position | None,
    skip: int,
    budget_s: float,
) -> Page:
    """`limit` rows past `start` (or after `skip` rows); QueryTooExpensiveError past the budget."""
    backward = start is not None and start.backward
    with_key = _with_sort_value(projection, query)
    try:
        with pymongo.timeout(budget_s):
            found = await _walk(users, query, with_key, limit=limit + 1, start=start, skip=skip)
    except ExecutionTimeout:
        raise too_expensive(query) from None
    more = len(found) > limit
    found = found[:limit]
    if backward:
        found.reverse()
    before = after = None
    if found:
        before = query.order.position(found[0][1], found[0][0], backward=True)
        after = query.order.position(found[-1][1], found[-1][0], backward=False)
    elif start is not None:
        before = after = start
    if start is None:
        return Page(_rows(found), next=after if more else None, previous=before if skip else None)
    if backward:
        return Page(_rows(found), next=_turned(after, backward=False), previous=before if more else None)
    return Page(_rows(found), next=after if more else None, previous=_turned(before, backward=True))


def _turned(position: Position | None, *, backward: bool) -> Position | None:
    if position is None:
        return None
    return Position(position.segment, position.value, position.id, backward)


def _rows(found: list[tuple[int, Row]]) -> list[Row]:
    rows = [row for _, row in found]
    for row in rows:
        row.pop("keys", None)
    return rows


def _with_sort_value(projection: Projection, query: Query) -> Projection:
    path = query.order.path
    parts = path.split(".")
    if any(".".join(parts[: length + 1]) in projection for length in range(len(parts))):
        return projection
    return projection | {path: 1}


async def _walk(
    users: Users, query: Query, projection: Projection, *, limit: int, start: Position | None, skip: int
) -> list[tuple[int, Row]]:
    """Up to `limit` rows, each with the segment it stands in, segment after segment."""
    if query.single:
        row = await users.find_one(query.matching, projection) if start is None and not skip else None
        return [(0, row)] if row is not None else []
    backward = start is not None and start.backward
    found: list[tuple[int, Row]] = []
    for segment in _segments(query, start):
        wanted = limit - len(found)
        cursor = users.find(
            query.part(segment, start, backward=backward),
            projection,
            sort=query.order.sort(segment, backward=backward),
            limit=wanted,
            batch_size=wanted,
            skip=skip,
            hint=query.hint,
        )
        rows = await cursor.to_list()
        found += [(segment, row) for row in rows]
        if len(found) == limit:
            break
        if skip:
            skip = 0 if rows else skip - await users.count_documents(query.part(segment), limit=skip)
    return found


def _segments(query: Query, start: Position | None) -> range:
    if start is not None and start.backward:
        return range(start.segment, -1, -1)
    return range(start.segment if start else 0, len(query.order))


async def stream(
    users: Users, query: Query, projection: Projection, *, first_s: float
) -> AsyncGenerator[bytes, None]:
    """All rows as raw BSON batches, in order. The server's cursor is closed when the generator is.

    UnavailableError when the first of a segment takes longer than `first_s`.
    """
    await users.database.command("ping")  # one that is frozen is known by the usual time-out
    for segment in range(1 if query.single else len(query.order)):
        matching = query.matching if query.single else query.part(segment)
        cursor: Any = users.find_raw_batches(  # PyMongo types its batches as documents; they are bytes
            matching,
            projection,
            sort=None if query.single else query.order.sort(segment, backward=False),
            batch_size=STREAM_ROWS,
            hint=query.hint,
            allow_disk_use=True,
        )
        async with cursor:
            batch = await _first(cursor, first_s)
            while batch is not None:
                yield batch
                batch = await anext(cursor, None)


async def _first(cursor: Any, within_s: float) -> bytes | None:
    """Timed here: PyMongo's time-out becomes a maxTimeMS, which bounds all batches of a cursor together."""
    try:
        async with asyncio.timeout(within_s):
            with pymongo.timeout(0):
                batch: bytes | None = await anext(cursor, None)
                return batch
    except TimeoutError:
        raise UnavailableError("MongoDB did not find the first user in time: narrow the filter.") from None


def too_expensive(query: Query) -> QueryTooExpensiveError:
    narrower = "email, username, phone or id" if query.filters else "city, department or tag"
    sort = query.sort.removeprefix("-")
    return QueryTooExpensiveError(
        f"Sorting these users by {sort} takes longer than a page may. Add a filter on {narrower}, "
        f"or a range of {sort} where it has one, or leave out `sort`."
    )
