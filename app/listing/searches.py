"""Listings with `q`: users whom the search finds, ranked."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import bson
from bson import ObjectId

from app import search
from app.core.cursors import Position
from app.core.mongo import Collection, Row
from app.core.time_budget import OverBudgetError, busy, within
from app.listing.pages import Projection
from app.listing.queries import Query
from app.listing.streams import BATCH_ROWS
from app.search import Matches, Pattern, Rank
from app.users.selections import choose

SUGGESTED = 10
SUGGESTION, SUGGESTION_READER = choose("name,username,email")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A page of ranked rows as they are now, with their ranks."""

    rows: list[Row]
    ranks: dict[ObjectId, Rank]
    asked: search.Query
    patterns: Sequence[Pattern]
    next: Position | None
    known: int


async def ranked(
    users: Collection,
    query: Query,
    q: str,
    projection: Projection,
    *,
    limit: int,
    start: Position | None,
    budget_s: float,
) -> Ranked:
    """A page of ranked users. InvalidError where `q` is not valid.

    OverloadedError past the budget: the reads of a search are bounded, so that only load makes it slow.
    """
    asked = search.parse(q, region=query.region, nicknames=query.nicknames)
    filters = [*query.clauses, *([query.order.bounds] if query.order.bounds else [])]
    finder = search.Finder(users, search.Dictionary(users.database), asked, filters)
    try:
        found: Matches = await within(budget_s, users, finder.page(limit=limit, start=start))
    except OverBudgetError:
        raise busy() from None
    rows = await _read(users, found.ranks, projection)
    by_id = {ObjectId(rank.id): rank for rank in found.ranks}
    return Ranked(rows, by_id, asked, found.patterns, found.next, found.known)


async def stream_ranked(
    users: Collection, query: Query, q: str, projection: Projection, *, first_s: float
) -> AsyncGenerator[bytes, None]:
    """All users of the pages of `q`, in their order, as BSON batches."""
    place: Position | None = None
    while True:
        found = await ranked(users, query, q, projection, limit=BATCH_ROWS, start=place, budget_s=first_s)
        yield b"".join(map(bson.encode, found.rows))
        place = found.next
        if place is None:
            return


async def _read(users: Collection, ranks: Sequence[Rank], projection: Projection) -> list[Row]:
    """The users' rows as they are now, without those deleted meanwhile."""
    ids = [ObjectId(rank.id) for rank in ranks]
    if not ids:
        return []
    command: dict[str, Any] = {
        "find": users.name,
        "filter": {"_id": {"$in": ids}},
        "projection": projection,
        "limit": len(ids),  # so that MongoDB knows a full batch to be the last and leaves no cursor open
        "batchSize": len(ids),
    }
    reply = await users.database.command(command, codec_options=users.codec_options)
    if reply["cursor"]["id"]:  # long texts did not fit into one reply
        await users.database.command({"killCursors": users.name, "cursors": [reply["cursor"]["id"]]})
        rows = await users.find(command["filter"], projection).to_list()
    else:
        rows = reply["cursor"]["firstBatch"]
    found = {row["_id"]: row for row in rows}
    return [found[user_id] for user_id in ids if user_id in found]
