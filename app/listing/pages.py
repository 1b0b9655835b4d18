"""One page of users by cursor or offset, and the stream of all of them, in the same order."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pymongo
from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection

from app.cursors import Position
from app.errors import QueryTooExpensiveError
from app.listing.budgets import OverBudgetError, within
from app.listing.queries import DEFAULT_SORT, RANGES, Query
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
    try:
        return await within(
            budget_s, users, _page(users, query, projection, limit=limit, start=start, skip=skip)
        )
    except OverBudgetError:
        raise too_expensive(query) from None


async def _page(
    users: Users, query: Query, projection: Projection, *, limit: int, start: Position | None, skip: int
) -> Page:
    if query.single:
        row = await users.find_one(query.matching, projection) if start is None and not skip else None
        return Page([row] if row is not None else [], next=None, previous=None)
    if skip:
        start = await _offset(users, query, skip)
        if start is None:
            return Page([], next=None, previous=None)
    found = await _walk(users, query, _with_sort_value(projection, query), limit=limit + 1, start=start)
    return _cut(found, query, projection, limit=limit, start=start)


def _cut(
    found: list[tuple[int, Row]], query: Query, projection: Projection, *, limit: int, start: Position | None
) -> Page:
    """The page of up to `limit` of the rows found past `start`, the one more telling that others follow."""
    backward = start is not None and start.backward
    more = len(found) > limit
    rows = found[:limit][::-1] if backward else found[:limit]
    before, after = _borders(rows, query, start)
    return Page(
        _public([row for _, row in rows], query, projection),
        next=after if more or backward else None,
        previous=before if (more if backward else start is not None) else None,
    )


def _borders(
    rows: list[tuple[int, Row]], query: Query, start: Position | None
) -> tuple[Position | None, Position | None]:
    """From where to go back and on. If all rows are gone, the one that `start` stands beside comes again."""
    if rows:
        (first, head), (last, tail) = rows[0], rows[-1]
        return (
            query.order.position(head, first, backward=True),
            query.order.position(tail, last, backward=False),
        )
    if start is None:
        return None, None
    return replace(start, backward=True, inclusive=True), replace(start, backward=False, inclusive=True)


def _public(rows: list[Row], query: Query, projection: Projection) -> list[Row]:
    """Without the sort value, where only the cursors need it."""
    top = query.order.path.partition(".")[0]
    if not any(path.partition(".")[0] == top for path in projection):
        for row in rows:
            row.pop(top, None)
    return rows


def _with_sort_value(projection: Projection, query: Query) -> Projection:
    parts = query.order.path.split(".")
    if any(".".join(parts[: length + 1]) in projection for length in range(len(parts))):
        return projection
    return projection | {query.order.path: 1}


async def _walk(
    users: Users, query: Query, projection: Projection, *, limit: int, start: Position | None
) -> list[tuple[int, Row]]:
    """Up to `limit` rows, each with the segment it stands in, segment after segment."""
    backward = start is not None and start.backward
    found: list[tuple[int, Row]] = []
    for segment in _segments(query, start):
        wanted = limit - len(found)
        asked = query.find(segment, start, backward=backward)
        cursor = users.find(**asked, projection=projection, limit=wanted, batch_size=wanted)
        found += [(segment, row) for row in await cursor.to_list()]
        if len(found) == limit:
            break
    return found


def _segments(query: Query, start: Position | None) -> tuple[int, ...]:
    if start is None:
        return query.order.segments
    if start.backward:
        return tuple(segment for segment in reversed(query.order.segments) if segment <= start.segment)
    return tuple(segment for segment in query.order.segments if segment >= start.segment)


async def _offset(users: Users, query: Query, skip: int) -> Position | None:
    """Where the row after `skip` others stands: an index finds it alone, where a page's filter reads on."""
    for segment in query.order.segments:
        row = await _row_after(users, query, query.skim(segment), skip)
        if row is not None and _is_odd(row, query):
            row = await _row_after(users, query, query.find(segment), skip)
        if row is not None:
            return replace(query.order.position(row, segment, backward=False), inclusive=True)
        skip -= await _count(users, query.skim(segment), skip)
    return None


async def _row_after(users: Users, query: Query, asked: dict[str, Any], skip: int) -> Row | None:
    rows = await users.find(**asked, projection={query.order.path: 1}, skip=skip, limit=1).to_list()
    return rows[0] if rows else None


async def _count(users: Users, asked: dict[str, Any], limit: int) -> int:
    hint = {"hint": asked["hint"]} if asked["hint"] else {}
    return await users.count_documents(asked["filter"], limit=limit, **hint) if limit else 0


def _is_odd(row: Row, query: Query) -> bool:
    value = query.order.value(row)
    return type(row["_id"]) is not ObjectId or isinstance(value, list)


async def stream(
    users: Users, query: Query, projection: Projection, *, first_s: float
) -> AsyncIterator[bytes]:
    """All rows as raw BSON batches, in order. The server's cursor is closed when the iterator is."""
    for segment in query.order.segments[:1] if query.single else query.order.segments:
        asked = {"filter": query.matching} if query.single else query.find(segment)
        cursor: Any = users.find_raw_batches(  # PyMongo types its batches as documents; they are bytes
            **asked, projection=projection, batch_size=STREAM_ROWS, allow_disk_use=True
        )
        async with cursor:
            with pymongo.timeout(first_s):
                batch = await anext(cursor, None)
            while batch is not None:
                yield batch
                batch = await anext(cursor, None)


def too_expensive(query: Query) -> QueryTooExpensiveError:
    field = query.sort.removeprefix("-")
    ways = [
        "Add a filter on " + ("email, username, phone or id" if query.filters else "city, department or tag")
    ]
    if field in RANGES and not query.order.bounds:
        ways.append(" and ".join(RANGES[field]))
    if field != DEFAULT_SORT:
        ways.append("leave out `sort`")
    return QueryTooExpensiveError(
        f"Finding these users in the order of {field} takes longer than a page may. {', or '.join(ways)}."
    )
