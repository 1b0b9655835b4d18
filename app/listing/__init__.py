"""Listings of users: filters, orders, search, pages, totals; one filter and order for pages and exports."""

from dataclasses import dataclass

from app.core.cursors import CursorSealer
from app.core.errors import FieldError, InvalidError
from app.core.mongo import Collection, Row
from app.core.settings import Settings
from app.listing.pages import page
from app.listing.queries import Query, build
from app.listing.searches import Ranked, ranked, suggest
from app.listing.totals import total
from app.search import highlight
from app.users.selections import choose
from models.listing import ListQuery, Total

__all__ = ["Listing", "Query", "build", "find", "suggest"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page for a caller: well-formed rows, sealed cursors of its neighbours, the total if asked for."""

    rows: list[Row]
    next: str | None
    previous: str | None
    total: Total | None


async def find(users: Collection, cursors: CursorSealer, settings: Settings, asked: ListQuery) -> Listing:
    """One page. Errors: a cursor of another query or too old, an unknown field, an expensive query."""
    if asked.q is not None:
        return await _search(users, cursors, settings, asked, asked.q)
    if asked.cursor is not None and asked.skip is not None:
        raise InvalidError(
            "Page by `cursor` or by `skip`, not both.",
            errors=(FieldError(parameter="skip", detail="Leave it out when a cursor is given."),),
        )
    query = build(asked, region=settings.phone_region)
    projection, reader = choose(asked.fields)
    start = cursors.open(asked.cursor, query.fingerprint) if asked.cursor is not None else None
    found = await page(
        users,
        query,
        projection,
        limit=asked.limit,
        start=start,
        skip=asked.skip or 0,
        budget_s=settings.query_budget_ms / 1000,
    )
    return Listing(
        rows=reader.sound(found.rows),
        next=cursors.seal(found.next, query.fingerprint) if found.next else None,
        previous=cursors.seal(found.previous, query.fingerprint) if found.previous else None,
        total=await total(users, query, asked.count, budget_s=settings.count_budget_ms / 1000),
    )


async def _search(
    users: Collection, cursors: CursorSealer, settings: Settings, asked: ListQuery, q: str
) -> Listing:
    """A page of ranked users; pages go only forward, and the total is a lower bound."""
    query = build(asked, region=settings.phone_region)
    projection, reader = choose(asked.fields)
    start = cursors.open(asked.cursor, query.fingerprint) if asked.cursor is not None else None
    budget_s = settings.query_budget_ms / 1000
    found = await ranked(users, query, q, projection, limit=asked.limit, start=start, budget_s=budget_s)
    rows = reader.sound(found.rows)
    if asked.highlight == "true":
        rows = [row | {"match": _match(row, found)} for row in rows]
    return Listing(
        rows=rows,
        next=cursors.seal(found.next, query.fingerprint) if found.next else None,
        previous=None,
        total=Total(value=found.known, relation="gte") if asked.count != "none" else None,
    )


_KINDS = ("exact", "prefix", "one_typo", "two_typos")


def _match(row: Row, found: Ranked) -> dict[str, object]:
    rank = found.ranks[row["_id"]]
    return {
        "score": -rank.minus_score / 1_000_000,
        "kind": _KINDS[rank.kind],
        "fields": highlight(row, found.asked, found.patterns),
    }
