"""One reading of a query: bounded reads of the postings, ranked here.

Each read goes along few ranges of an index and examines at most `SCAN` keys. Exact matches come first, and
all of them can be paged through: few are ranked together, many come as a stream. Then come at most `RANKED`
by prefix and by one typo, of each class if one word was typed alone. What is worse is tried only where
nobody else was found.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bson import ObjectId

from app.core.cursors import Position
from app.core.mongo import Row
from app.search import but_one, index_reads, single_word, whole_reads
from app.search.contacts import Contacts
from app.search.index_keys import IndexKeys
from app.search.index_reads import SCAN, IndexRead
from app.search.matching import (
    BEGUN_TYPO,
    EXACT,
    ONE_TYPO,
    PREFIX,
    STAGES,
    Pattern,
    Rank,
    is_sound,
)
from app.search.neighbours import Neighbours
from app.search.query_parser import Query
from app.search.ranking import RANKED, Matches, after, cut, once, ranked
from app.search.streams import STREAM, Stream
from app.search.typos import HALF_TYPED

_NAMED = 2
"""The most words whose people are looked for by the keys of the index alone."""

Filter = dict[str, Any]


class Reading:
    """Finds the users of a query as it is read; `stages` are the kinds of matches that are tried."""

    def __init__(
        self,
        neighbours: Neighbours,
        query: Query,
        filters: Sequence[Filter],
        stages: Sequence[int] = STAGES,
    ) -> None:
        self._users = neighbours.users
        self._dictionary = neighbours.dictionary
        self._neighbours = neighbours
        self._stages = stages
        self._query = query
        phones = [term.text for term in query.terms if term.field == "phone"]
        self._filters = [*filters, *map(index_reads.has_digits, phones)]
        words = [term for term in query.terms if term.field != "phone"]
        self._patterns = tuple(pattern for term in words for pattern in index_reads.patterns(term))
        self._keys = IndexKeys(self._users)
        digits = query.digits or (phones[0] if phones and not words else None)
        self._contacts = Contacts(self._users, query, self._filters, digits)

    async def page(self, limit: int, start: Position | None) -> Matches:
        if start is not None and start.segment >= STREAM:
            return await self._streamed({}, limit, start)
        is_second = self._stages[0] != STAGES[0]  # the first has found no contact, and nobody exactly
        if not is_second and (told := await self._contacts.told()):
            called = await self._called()
            ranks = once([*told, *called])
            return cut(after(ranks, start), limit, self._patterns if called else (), len(ranks))
        if not self._patterns:
            return Matches([], None, (), 0)
        counts = await self._count()
        if is_second:
            return await self._from([], counts, limit, start, is_whole=True)
        return await self._ranked(counts, limit, start)

    async def _ranked(self, counts: dict[str, int], limit: int, start: Position | None) -> Matches:
        if start is None and (first := await self._many(counts, limit)) is not None:
            return first
        exact: list[Rank] = []
        is_whole = False
        if start is None or start.segment == EXACT:
            chosen = index_reads.choose_exact(self._patterns, counts, self._filters)
            most = RANKED if start is None else SCAN  # users may have been added since the walk began
            rows, is_whole = await self._read_all(chosen, self._patterns, most)
            if not is_whole and start is None:
                return await self._streamed(counts, limit)
            exact = sorted(ranked(self._patterns, rows))[:most]
        return await self._from(exact, counts, limit, start, is_whole=is_whole)

    async def _from(
        self, exact: list[Rank], counts: dict[str, int], limit: int, start: Position | None, *, is_whole: bool
    ) -> Matches:
        """A page of exact matches, and of others where those do not fill it."""
        ranks = after(exact, start)
        patterns = self._patterns
        if len(ranks) <= limit:
            if self._is_alone():
                patterns, near = await self._near_alone(exact, limit, start, is_whole=is_whole)
            else:
                last = max(ONE_TYPO, start.segment) if start is not None else STAGES[-1]
                patterns, near = await self._near(counts, limit, ONE_TYPO if exact else last)
            exact = [*exact, *(one for one in near if one.kind != EXACT)]
            ranks = after(exact, start)
        return cut(ranks, limit, patterns, len(exact))

    async def _many(self, counts: dict[str, int], limit: int) -> Matches | None:
        """The first page where so many match that it is known without ranking them all."""
        if await self._is_crowd(counts):
            return await self._streamed(counts, limit)
        return await self._named(counts, limit)

    async def _named(self, counts: dict[str, int], limit: int) -> Matches | None:
        """The first page, if it is filled by people who have the one word, or the two, in their name.

        Their ranks are read from keys of the index: nobody who matches otherwise can rank before them.
        """
        is_plain = not self._filters and all(one.word and not one.field for one in self._patterns)
        words = {pattern.word for pattern in self._patterns}
        if not is_plain or len(words) != len(self._patterns) or len(words) > _NAMED:
            return None
        if min(counts.get(word, 0) for word in words) <= limit or limit > RANKED:
            return None
        ranks = await self._keys.named(self._patterns, RANKED)
        if len(ranks) > RANKED:
            return await self._streamed(counts, limit)
        return cut(ranks, limit, self._patterns, len(ranks)) if len(ranks) > limit else None

    def _is_alone(self) -> bool:
        """Whether the query is one word, without filters, that may be half typed or misspelt."""
        return len(self._patterns) == 1 and not (
            self._filters or self._patterns[0].is_strict or self._patterns[0].field
        )

    async def _near_alone(
        self, exact: list[Rank], limit: int, start: Position | None, *, is_whole: bool
    ) -> tuple[tuple[Pattern, ...], list[Rank]]:
        """Matches of the one word by the next kinds and classes, until the page is full."""
        search = single_word.SingleWordSearch(
            self._neighbours,
            self._patterns[0],
            exact=[one.id for one in exact] if is_whole else None,
            most=RANKED,
            stages=self._stages,
        )
        near: list[Rank] = []
        async for ranks in search.levels(PREFIX if start is None else start.segment):
            near += ranks
            if len(after([*exact, *near], start)) > limit:
                break
        return (search.pattern,), near

    async def _is_crowd(self, counts: dict[str, int]) -> bool:
        """Whether counts suggest that too many users match to be ranked."""
        if len(self._patterns) > 1 or max(counts.values(), default=0) <= 2 * RANKED:
            return False
        facets = [one for one in self._filters if "facets" in one]
        if not self._filters or not facets:
            return True
        return await self._users.count_documents(facets[0], limit=SCAN + 1, hint="facets") > SCAN

    async def _called(self) -> list[Rank]:
        """Users who hold the digits of a phone number as a word: a tag, a room."""
        if self._query.email is not None or not self._patterns:
            return []
        chosen = index_reads.choose_exact(self._patterns, await self._count(), self._filters)
        rows, _ = await self._read_all(chosen, self._patterns, RANKED)
        return sorted(ranked(self._patterns, rows))[:RANKED]

    async def _read_all(
        self,
        chosen: Iterable[IndexRead],
        patterns: Sequence[Pattern],
        most: int,
        *besides: Filter,
    ) -> tuple[list[Row], bool]:
        """The rows of all reads, each once, and whether these are all: False beyond `most`."""
        rows: dict[ObjectId, Row] = {}
        for index_read in chosen:
            pipeline = index_read.pipeline(patterns, [*self._filters, *besides], limit=most + 1)
            found = await whole_reads.aggregate(self._users, pipeline, index_read.hint)
            rows |= {row["_id"]: row for row in found if is_sound(row)}
            if max(len(found), len(rows)) > most:
                return list(rows.values()), False
            if found and index_read.is_enough:
                break
        return list(rows.values()), True

    async def _count(self) -> dict[str, int]:
        """About how many users hold each word."""
        words = [pattern.word for pattern in self._patterns if pattern.word]
        return await self._dictionary.count(words) if words else {}

    async def _near(
        self, counts: dict[str, int], limit: int, last: int
    ) -> tuple[tuple[Pattern, ...], list[Rank]]:
        """Users who match by prefix or one typo; by what is worse, to the last kind, if nobody is nearer.

        A typo in a short half-typed word also where whole words do not fill the page.
        """
        ranks: list[Rank] = []
        patterns: tuple[Pattern, ...] = ()
        is_short = len(self._patterns[-1].word) <= HALF_TYPED[-1]
        for kind in (stage for stage in self._stages if stage <= last):
            has_room = kind == BEGUN_TYPO and is_short and len(ranks) < limit
            if ranks and (ranks[0].kind < ONE_TYPO or not has_room):
                break
            if kind > ONE_TYPO and not ranks and self._stages == STAGES[:2]:  # other readings come first
                break
            before, patterns = patterns, await self._widen(kind, counts)
            if patterns != before:
                ranks = await self._read_near(patterns)
        return patterns, ranks

    async def _read_near(self, patterns: Sequence[Pattern]) -> list[Rank]:
        ranks, is_whole = await self._read_once(patterns)
        if is_whole:
            return ranks
        # typos must not take the places of prefixes, nor those whom one word meets twice
        begun, _ = await self._read_once([replace(pattern, near={}) for pattern in patterns], is_apart=True)
        return once([*begun, *ranks])[:RANKED]

    async def _read_once(
        self, patterns: Sequence[Pattern], *, is_apart: bool = False
    ) -> tuple[list[Rank], bool]:
        chosen = index_reads.choose_near(patterns, self._filters, is_apart=is_apart)
        besides = index_reads.not_exact(patterns)
        rows, is_whole = await self._read_all(chosen, patterns, RANKED, besides)
        return sorted(ranked(patterns, rows))[:RANKED], is_whole

    async def _widen(self, kind: int, counts: dict[str, int]) -> tuple[Pattern, ...]:
        """The patterns, widened to prefixes and misspelt words."""
        return tuple(
            await asyncio.gather(
                *(self._widened(pattern, kind, counts.get(pattern.word, 0)) for pattern in self._patterns)
            )
        )

    async def _widened(self, pattern: Pattern, kind: int, count: int) -> Pattern:
        if pattern.is_strict:
            return index_reads.widen(pattern, {}, count=count)
        near, begun = await asyncio.gather(
            self._neighbours.of(pattern, kind), self._neighbours.weigh(pattern.word)
        )
        return index_reads.widen(pattern, near, count=count, begun=begun)

    async def but_one(self, limit: int, start: Position | None, *, titles: bool) -> Matches:
        """Users who match all words but one, or all but titles such as Dr, by one typo at worst."""
        counts = await self._count()
        patterns = await self._widen(ONE_TYPO, counts)
        ways = but_one.ways(patterns, titles=titles)
        reads = [read for way in but_one.rarest(ways) for read in self._along(way, counts)]
        any_way = {"$or": [{"$and": [index_reads.holds(pattern) for pattern in way]} for way in ways]}
        distinct = [read for at, read in enumerate(reads) if read not in reads[:at]]
        rows, _ = await self._read_all(distinct, (), RANKED, any_way) if ways else ([], True)
        ranks = sorted(but_one.ranked(ways, rows))[:RANKED]
        return cut(after(ranks, start), limit, patterns, len(ranks))

    def _along(self, way: Sequence[Pattern], counts: Mapping[str, int]) -> list[IndexRead]:
        """Reads that find users who match exactly, by prefix or by typo."""
        exact = index_reads.choose_exact(way, counts, self._filters) if len(way) == 1 else []
        return [*exact, *index_reads.choose_near(way, self._filters)]

    async def _streamed(
        self, counts: Mapping[str, int], limit: int, start: Position | None = None
    ) -> Matches:
        return await Stream(self._users, self._patterns, self._filters, counts).page(limit, start)
