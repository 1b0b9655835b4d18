"""Streams: exact matches too many to rank, in the order of the index, posting after posting."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.core.cursors import Position
from app.core.mongo import Collection, Row
from app.search import index_reads, whole_reads
from app.search.matching import EXACT, Pattern, Rank, postings
from app.search.ranking import Matches, ranked

_FOLLOWED = 5
"""The most reads of a stream for one page, where filters leave few rows; the next page goes on from there."""
STREAM = 10
"""Segments of cursors from here on are places in a stream: 10 and the number of its posting.

The cursor holds the postings, after the name: the counts that choose them change during a walk. The last
value of every cursor is the number of the query's reading: 0 as typed, then with words joined.
"""

BEST = -(10**9)
"""Sorts before every score."""

Filter = dict[str, Any]


class Stream:
    """A walk along postings that the counts of words choose; a cursor that goes on holds them itself."""

    def __init__(
        self,
        users: Collection,
        patterns: tuple[Pattern, ...],
        filters: Sequence[Filter],
        counts: Mapping[str, int],
    ) -> None:
        self._users = users
        self._patterns = patterns
        self._filters = filters
        self._along = index_reads.streams(patterns, counts, filters)

    async def page(self, limit: int, start: Position | None) -> Matches:
        """A page of exact matches in the order of the index, posting after posting, before ranked ones."""
        at, place, along = 0, None, self._along
        if start is not None:
            name, *along = start.value
            at, place = start.segment - STREAM, replace(start, value=name)
        ranks: list[Rank] = []
        for number in range(at, len(along)):
            for _ in range(_FOLLOWED):
                met, place = await self._follow(along, number, place, limit - len(ranks))
                ranks += met
                if place is None or len(ranks) == limit:
                    break
            if place is not None:
                following = Position(STREAM + number, [place.value, *along], place.id)
                return Matches(ranks, following, self._patterns, len(ranks))
            if len(ranks) == limit and number + 1 < len(along):
                following = Position(STREAM + number + 1, ["", *along], None)
                return Matches(ranks, following, self._patterns, len(ranks))
        return Matches(ranks, Position(EXACT + 1, [BEST, ""], ""), self._patterns, len(ranks))

    async def _follow(
        self, along: Sequence[str], number: int, start: Position | None, limit: int
    ) -> tuple[list[Rank], Position | None]:
        """Rows of one posting that stand under none before, and the position of the next unread one.

        Where rows must match more than the posting, the end of the range is read first: with writes between
        the two reads, the second still misses nobody.
        """
        posting, narrowed = along[number], index_reads.narrowed(self._patterns, self._filters)
        end = None
        if narrowed:
            end = next(
                map(place_of, await whole_reads.find(self._users, index_reads.past(posting, start))), None
            )
        scan = index_reads.scan(posting, self._patterns, narrowed, start, end, limit=limit + 1)
        rows = await whole_reads.find(self._users, scan)
        if len(rows) > limit:
            end = place_of(rows.pop())
        fresh = [row for row in rows if postings(row).isdisjoint(along[:number])]
        return ranked(self._patterns, fresh), end


def place_of(row: Row) -> Position:
    return Position(0, row["keys"]["name"], row["_id"])
