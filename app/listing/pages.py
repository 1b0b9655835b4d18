"""One page of users by cursor or offset, and the stream of all of them, in the same order."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ExecutionTimeout

from app.cursors import Position
from app.errors import QueryTooExpensiveError
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
            rows, runs = await _walk(users, query, with_key, limit=limit + 1, start=start, skip=skip)
    except ExecutionTimeout:
        raise too_expensive(query) from None
    near, far = _ends(query, rows[:limit], runs, start)
    before, after = (far, near) if backward else (near, far)
    more = len(rows) > limit
    shown = rows[:limit][::-1] if backward else rows[:limit]
    if query.order.is_hidden:
        for row in shown:
            row.pop("keys", None)
    if start is None:
        return Page(
            shown,
            next=_facing(after) if more else None,
            previous=_facing(before, backward=True) if skip else None,
        )
    return Page(
        shown,
        next=_facing(after) if more or backward else None,
        previous=_facing(before, backward=True) if more or not backward else None,
    )


def _ends(
    query: Query, rows: list[Row], runs: list[tuple[int, int]], start: Position | None
) -> tuple[Position | None, Position | None]:
    """Where the walk met its first row and its last; where it met none, it is still at its start."""
    if not rows:
        return start, start
    first = next(segment for segment, end in runs if end > 0)
    last = next(segment for segment, end in runs if end >= len(rows))
    return query.order.position(rows[0], first), query.order.position(rows[-1], last)


def _facing(position: Position | None, *, backward: bool = False) -> Position | None:
    return position and replace(position, backward=backward)


def _with_sort_value(projection: Projection, query: Query) -> Projection:
    path = query.order.path
    parts = path.split(".")
    if any(".".join(parts[: length + 1]) in projection for length in range(len(parts))):
        return projection
    return projection | {path: 1}


async def _walk(
    users: Users, query: Query, projection: Projection, *, limit: int, start: Position | None, skip: int
) -> tuple[list[Row], list[tuple[int, int]]]:
    """Up to `limit` rows, segment after segment; and how many there were when each segment was left."""
    if query.single:
        row = await users.find_one(query.matching, projection) if start is None and not skip else None
        return ([row], [(0, 1)]) if row is not None else ([], [])
    backward = start is not None and start.backward
    found: list[Row] = []
    runs: list[tuple[int, int]] = []
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
        found = found + rows if found else rows
        runs.append((segment, len(found)))
        if len(found) == limit:
            break
        if skip:
            skip = 0 if rows else skip - await users.count_documents(query.part(segment), limit=skip)
    return found, runs


def _segments(query: Query, start: Position | None) -> range:
    if start is not None and start.backward:
        return range(start.segment, -1, -1)
    return range(start.segment if start else 0, len(query.order))


async def stream(
    users: Users, query: Query, projection: Projection, *, first_s: float
) -> AsyncIterator[bytes]:
    """All rows as raw BSON batches, in order. The server's cursor is closed when the iterator is."""
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
            with pymongo.timeout(first_s):
                batch = await anext(cursor, None)
            while batch is not None:
                yield batch
                batch = await anext(cursor, None)


def too_expensive(query: Query) -> QueryTooExpensiveError:
    narrower = "email, username, phone or id" if query.filters else "city, department or tag"
    sort = query.sort.removeprefix("-")
    return QueryTooExpensiveError(
        f"Sorting these users by {sort} takes longer than a page may. Add a filter on {narrower}, "
        f"or a range of {sort} where it has one, or leave out `sort`."
    )
