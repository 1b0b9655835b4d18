"""Listings of users: filters, orders, pages, totals; one filter and one order for pages and exports."""

from dataclasses import dataclass

from app.cursors import CursorSealer
from app.errors import FieldError, InvalidError
from app.listing.pages import Users, page
from app.listing.queries import Query, build
from app.listing.totals import total
from app.rows import Row
from app.selections import choose
from app.settings import Settings
from models.listing import ListQuery, Total

__all__ = ["Listed", "Query", "build", "find"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page as it leaves: sound rows, sealed cursors of its neighbours, the total if asked for."""

    rows: list[Row]
    next: str | None
    previous: str | None
    total: Total | None


async def find(users: Users, cursors: CursorSealer, settings: Settings, asked: ListQuery) -> Listed:
    """The page asked for. Errors: a cursor of another query or too old, an unknown field, a dear query."""
    if asked.cursor is not None and asked.skip is not None:
        raise InvalidError(
            "Page by `cursor` or by `skip`, not both.",
            errors=(FieldError(parameter="skip", detail="Leave it out when a cursor is given."),),
        )
    query = build(asked)
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
    return Listed(
        rows=reader.sound(found.rows),
        next=cursors.seal(found.next, query.fingerprint) if found.next else None,
        previous=cursors.seal(found.previous, query.fingerprint) if found.previous else None,
        total=await total(users, query, asked.count, budget_s=settings.count_budget_ms / 1000),
    )
