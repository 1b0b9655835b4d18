"""Pages of a listing, suggestions and streams, by the filters and orders of this room."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial

from app.core.cursors import CursorSealer, Position
from app.core.errors import FieldError, InvalidError
from app.core.mongo import Collection, Row
from app.database.connections import Connections
from app.listing.pages import Projection, page, without_empty_previous
from app.listing.queries import Query, build
from app.listing.searches import SUGGESTED, SUGGESTION, SUGGESTION_READER, Ranked, ranked, stream_ranked
from app.listing.starts import position
from app.listing.streams import answering, stream
from app.listing.totals import total
from app.search import highlight, parse
from app.users.selections import choose
from models.listing import MATCH_KINDS, ListQuery, OrderedQuery, Total


@dataclass(frozen=True, slots=True)
class ListingPage:
    """A page for a caller: well-formed rows, sealed cursors of its neighbours, the total if asked for."""

    rows: list[Row]
    next: str | None
    previous: str | None
    total: Total | None


class Listing:
    """Lists users: one filter and one order for pages, suggestions and exports."""

    def __init__(self, connections: Connections, cursors: CursorSealer) -> None:
        self.users = connections.users
        """Rows, as documents would take seven times as long to make."""
        self._reads = connections.reads
        self._settings = connections.settings
        self._cursors = cursors

    def build(self, asked: OrderedQuery) -> Query:
        return build(asked, region=self._settings.phone_region, nicknames=self._settings.search_nicknames)

    async def suggest(self, q: str) -> list[Row]:
        """At most `SUGGESTED` people, for a box in which somebody is typing."""
        asked = partial(
            ranked,
            query=self.build(OrderedQuery()),
            q=q,
            projection=SUGGESTION,
            limit=SUGGESTED,
            start=None,
            budget_s=self._settings.query_budget_ms / 1000,
        )
        found = await self._reads.run(asked)
        return SUGGESTION_READER.sound(found.rows)

    async def count(self, asked: OrderedQuery) -> int | None:
        """The number of users, if they can be counted quickly."""
        budget_s = self._settings.count_budget_ms / 1000
        found = await total(self.users, self.build(asked), "exact", budget_s=budget_s)
        return found.value if found is not None and found.relation == "eq" else None

    async def find_answering(self) -> Collection:
        """The users for a caller's `stream`: those of a secondary where the primary is silent."""
        return await self._reads.run(answering)

    def stream(
        self,
        query: Query,
        q: str | None,
        projection: Projection,
        *,
        first_s: float,
        users: Collection | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """All users of the query, as BSON batches in its order; UnavailableError past `first_s`."""
        users = self.users if users is None else users
        if q is None:
            return stream(users, query, projection, first_s=first_s)
        return stream_ranked(users, query, q, projection, first_s=first_s)

    def check(self, asked: ListQuery) -> None:
        """InvalidError where `find` would refuse the query, whatever is in the directory."""
        query = self.build(asked)
        choose(asked.fields)
        if asked.q is None:
            self._place(asked, query)
        else:
            parse(asked.q, region=query.region)

    async def find(self, asked: ListQuery) -> ListingPage:
        """One page. Errors: a cursor of another query or too old, an unknown field, an expensive query."""
        if asked.q is not None:
            return await self._reads.run(partial(self._search, asked, asked.q))
        return await self._reads.run(partial(self._page, asked))

    async def _page(self, asked: ListQuery, users: Collection) -> ListingPage:
        query = self.build(asked)
        projection, reader = choose(asked.fields)
        budget_s = self._settings.query_budget_ms / 1000
        found = await page(
            users,
            query,
            projection,
            limit=asked.limit,
            start=self._place(asked, query),
            skip=asked.skip or 0,
            budget_s=budget_s,
        )
        if asked.start is not None and found.previous is not None:
            found = await without_empty_previous(users, query, found, budget_s=budget_s)
        return ListingPage(
            rows=reader.sound(found.rows),
            next=self._cursors.seal(found.next, query.fingerprint) if found.next else None,
            previous=self._cursors.seal(found.previous, query.fingerprint) if found.previous else None,
            total=await total(users, query, asked.count, budget_s=self._settings.count_budget_ms / 1000),
        )

    def _place(self, asked: ListQuery, query: Query) -> Position | None:
        """Where the page begins, but for `skip`. InvalidError where more than one parameter says it."""
        if asked.cursor is not None:
            _check_alone("cursor", asked, "start", "skip")
            return self._cursors.open(asked.cursor, query.fingerprint)
        if asked.start is not None:
            _check_alone("start", asked, "skip")
            return position(asked.start, query)
        return None

    async def _search(self, asked: ListQuery, q: str, users: Collection) -> ListingPage:
        """A page of ranked users; pages go only forward, and the total is a lower bound."""
        query = self.build(asked)
        projection, reader = choose(asked.fields)
        start = self._cursors.open(asked.cursor, query.fingerprint) if asked.cursor is not None else None
        budget_s = self._settings.query_budget_ms / 1000
        found = await ranked(users, query, q, projection, limit=asked.limit, start=start, budget_s=budget_s)
        rows = reader.sound(found.rows)
        if asked.highlight == "true":
            rows = [row | {"match": _match(row, found)} for row in rows]
        return ListingPage(
            rows=rows,
            next=self._cursors.seal(found.next, query.fingerprint) if found.next else None,
            previous=None,
            total=Total(value=found.known, relation="gte") if asked.count != "none" else None,
        )


def _check_alone(given: str, asked: ListQuery, *others: str) -> None:
    wrong = [name for name in others if getattr(asked, name) is not None]
    if wrong:
        raise InvalidError(
            "Page by one of `cursor`, `start` and `skip`.",
            errors=tuple(
                FieldError(f"Leave it out when {given} is given.", parameter=name) for name in wrong
            ),
        )


def _match(row: Row, found: Ranked) -> dict[str, object]:
    rank = found.ranks[row["_id"]]
    return {
        "score": -rank.minus_score / 1_000_000,
        "kind": MATCH_KINDS[rank.kind],
        "fields": highlight(row, found.asked, found.patterns),
    }
