"""One page of users, by cursor or offset."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bson import ObjectId
from pymongo.errors import AutoReconnect

from app.core.cursors import Position
from app.core.errors import QueryTooExpensiveError
from app.core.mongo import Collection, Row
from app.core.time_budget import OverBudgetError, busy, within
from app.listing.conditions import BOUNDS
from app.listing.queries import DEFAULT_SORT, Query

Projection = dict[str, int]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows as stored, and the positions from which the neighbouring pages start."""

    rows: list[Row]
    next: Position | None
    previous: Position | None


class _WalkedRows:
    """The rows of a walk, and how many there were at the end of each segment."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._ends: list[tuple[int, int]] = []

    def add(self, segment: int, rows: list[Row]) -> None:
        self.rows = self.rows + rows if self.rows else rows
        self._ends.append((len(self.rows), segment))

    def segment(self, place: int) -> int:
        """The segment of the row at this place."""
        return next(segment for end, segment in self._ends if place < end)


async def page(
    users: Collection,
    query: Query,
    projection: Projection,
    *,
    limit: int,
    start: Position | None,
    skip: int,
    budget_s: float,
) -> Page:
    """A page of `limit` rows past `start` (or after `skip` rows).

    Past the budget QueryTooExpensiveError, or OverloadedError if the query is cheap by its plan.
    """
    try:
        return await within(
            budget_s, users, _page(users, query, projection, limit=limit, start=start, skip=skip)
        )
    except OverBudgetError:
        raise busy() if query.is_cheap else too_expensive(query) from None


async def without_empty_previous(users: Collection, query: Query, found: Page, *, budget_s: float) -> Page:
    """The page, without a previous one if nobody is there: what a caller starts at may be the first row."""
    before = await page(users, query, {"_id": 1}, limit=1, start=found.previous, skip=0, budget_s=budget_s)
    return found if before.rows else replace(found, previous=None)


async def _page(
    users: Collection, query: Query, projection: Projection, *, limit: int, start: Position | None, skip: int
) -> Page:
    if query.single:
        is_first = not skip and (start is None or (start.inclusive and not start.backward))
        row = await users.find_one(query.matching, projection) if is_first else None
        return Page([row] if row is not None else [], next=None, previous=None)
    if skip:
        start = await _offset(users, query, skip)
        if start is None:
            return Page([], next=None, previous=None)
    found = await _walk(users, query, _with_sort_value(projection, query), limit=limit + 1, start=start)
    return _cut(found, query, projection, limit=limit, start=start)


def _cut(
    found: _WalkedRows, query: Query, projection: Projection, *, limit: int, start: Position | None
) -> Page:
    """The page of up to `limit` rows past `start`; one more row tells that others follow."""
    backward = start is not None and start.backward
    more = len(found.rows) > limit
    near, far = _ends(found, query, start, limit=limit)
    before, after = (far, near) if backward else (near, far)
    rows = found.rows[:limit]
    if backward:
        rows.reverse()
    return Page(
        _public(rows, query, projection),
        next=after and replace(after, backward=False) if more or backward else None,
        previous=before and replace(before, backward=True)
        if (more if backward else start is not None)
        else None,
    )


def _ends(
    found: _WalkedRows, query: Query, start: Position | None, *, limit: int
) -> tuple[Position | None, Position | None]:
    """The positions of the first and the last row; without rows, that of the row beside `start`."""
    if not found.rows:
        end = start and replace(start, inclusive=True)
        return end, end
    rows = found.rows[:limit]
    first, last = found.segment(0), found.segment(len(rows) - 1)
    return query.order.position(rows[0], first), query.order.position(rows[-1], last)


def _public(rows: list[Row], query: Query, projection: Projection) -> list[Row]:
    """The rows without the sort value, where only cursors need it."""
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
    users: Collection, query: Query, projection: Projection, *, limit: int, start: Position | None
) -> _WalkedRows:
    """Read up to `limit` rows, segment after segment."""
    backward = start is not None and start.backward
    found = _WalkedRows()
    for segment in _segments(query, start):
        asked = query.find(segment, start, backward=backward)
        found.add(segment, await _rows(users, asked, projection, limit - len(found.rows)))
        if len(found.rows) == limit:
            break
    return found


async def _rows(users: Collection, asked: dict[str, Any], projection: Projection, limit: int) -> list[Row]:
    """Read rows by the bare command: one batch needs no cursor, which would cost a tenth of a page's time.

    A cursor, which PyMongo retries, is used where the connection broke or where one reply of 16 MiB is too
    small.
    """
    command = asked | {
        "projection": projection,
        "sort": dict(asked["sort"]),
        "limit": limit,
        "batchSize": limit,
    }
    if asked["hint"] is None:
        del command["hint"]
    with suppress(AutoReconnect):
        reply = await users.database.command(
            {"find": users.name} | command, codec_options=users.codec_options
        )
        if not reply["cursor"]["id"]:
            rows: list[Row] = reply["cursor"]["firstBatch"]
            return rows
        await users.database.command({"killCursors": users.name, "cursors": [reply["cursor"]["id"]]})
    return await users.find(**asked, projection=projection, limit=limit, batch_size=limit).to_list()


def _segments(query: Query, start: Position | None) -> tuple[int, ...]:
    if start is None:
        return query.order.segments
    if start.backward:
        return tuple(segment for segment in reversed(query.order.segments) if segment <= start.segment)
    return tuple(segment for segment in query.order.segments if segment >= start.segment)


async def _offset(users: Collection, query: Query, skip: int) -> Position | None:
    """The position of the row after `skip` others; an index alone finds it, without reading users."""
    for segment in query.order.segments:
        row = await _row_after(users, query, query.skim(segment), skip)
        if row is not None and _is_odd(row, query):
            row = await _row_after(users, query, query.find(segment), skip)
        if row is not None:
            return replace(query.order.position(row, segment), inclusive=True)
        skip -= await _count(users, query.skim(segment), skip)
    return None


async def _row_after(users: Collection, query: Query, asked: dict[str, Any], skip: int) -> Row | None:
    rows = await users.find(**asked, projection={query.order.path: 1}, skip=skip, limit=1).to_list()
    return rows[0] if rows else None


async def _count(users: Collection, asked: dict[str, Any], limit: int) -> int:
    hint = {"hint": asked["hint"]} if asked["hint"] else {}
    return await users.count_documents(asked["filter"], limit=limit, **hint) if limit else 0


def _is_odd(row: Row, query: Query) -> bool:
    value = query.order.value(row)
    return type(row["_id"]) is not ObjectId or isinstance(value, list)


def too_expensive(query: Query) -> QueryTooExpensiveError:
    field = query.sort.removeprefix("-")
    fields = "email, username, phone or id" if query.filters else "city, department or tag"
    way = f"Add a filter on {fields}"
    if field in BOUNDS and not query.order.bounds:
        way = f"Add a filter on {fields}, or {' and '.join(BOUNDS[field])}"
    if field != DEFAULT_SORT:
        way = f"{way}, or leave out `sort`"
    return QueryTooExpensiveError(
        f"Finding these users in the order of {field} takes longer than a page may. {way}."
    )
