"""The finder: bounded reads of the postings, ranked here, paged by rank.

Each read goes along few ranges of an index and examines at most `SCAN` keys. Exact matches come first, and
all of them can be paged through: few are ranked together, many come in the order of the index (class, name,
id). Then come at most `RANKED` by prefix and by one typo, of each class if one word was typed alone. Two
typos are tried only where nobody else was found; where nobody is found at all, words that were typed apart
are tried as one.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bson import ObjectId

from app.core.cursors import Position
from app.core.mongo import Collection, Row
from app.search import index_reads, single_word
from app.search.dictionary import Dictionary
from app.search.index_reads import SCAN, IndexRead
from app.search.matching import (
    EXACT,
    ONE_TYPO,
    PREFIX,
    TWO_TYPOS,
    Pattern,
    Rank,
    is_sound,
    postings,
    rank,
)
from app.search.query_parser import Query, join, retype

RANKED = 500

_FOLLOWED = 5
"""The most reads of a stream for one page, where filters leave few rows; the next page goes on from there."""
_MOST_JOINED = 4
"""The most words of a query of which two neighbours, or all, are tried as one."""

_TYPOS = {ONE_TYPO: 1, TWO_TYPOS: 2}
_STREAM = 10
"""Segments of cursors from here on are places in a stream: 10 and the number of its posting.

The cursor holds the postings, after the name: the counts that choose them change during a walk. The last
value of every cursor is the number of the query's reading: 0 as typed, then with words joined.
"""

_BEST = -(10**9)
"""Sorts before every score."""

Filter = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Matches:
    """Users in ranked order, and the position after them if others follow."""

    ranks: list[Rank]
    next: Position | None
    patterns: tuple[Pattern, ...]
    known: int
    """The least number of matching users."""


class Finder:
    """Finds the users of one query with its filters."""

    def __init__(
        self, users: Collection, dictionary: Dictionary, query: Query, filters: Sequence[Filter]
    ) -> None:
        self._users = users
        self._dictionary = dictionary
        self._query = query
        phones = [term.text for term in query.terms if term.field == "phone"]
        self._filters = [*filters, *map(index_reads.has_digits, phones)]
        words = [term for term in query.terms if term.field != "phone"]
        self._patterns = tuple(pattern for term in words for pattern in index_reads.patterns(term))
        self._looked_up: dict[tuple[str, int], tuple[dict[str, tuple[int, int]], int]] = {}
        self._digits = query.digits or (phones[0] if phones and not words else None)

    async def page(self, *, limit: int, start: Position | None) -> Matches:
        if start is not None:
            *value, reading = start.value
            return await self._read_as(reading, limit, replace(start, value=value))
        if await self._names_domains():
            return await self._read_as(len(self._readings()) - 1, limit, None)
        found = await self._read_as(0, limit, None)
        if found.ranks and found.ranks[0].kind <= PREFIX:
            return found
        joined, retyped = join(self._query), retype(self._query)
        for reading, query in enumerate(retyped, 1 + len(joined)):
            if await self._knows(query) and (other := await self._read_as(reading, limit, None)).known:
                return other
        if found.known or found.next or len(self._query.terms) > _MOST_JOINED:
            return found
        for reading in range(1, len(joined) + 1):
            if (found := await self._read_as(reading, limit, None)).known:
                break
        return found

    def _readings(self) -> list[Query]:
        """The query as typed, with words joined, in other layouts of the keyboard, with domains as such."""
        domains = [Query(self._query.domains)] if self._query.domains else []
        return [self._query, *join(self._query), *retype(self._query), *domains]

    async def _knows(self, query: Query) -> bool:
        """Whether each word is one of the dictionary, or begins one."""
        return all([await self._dictionary.has_begun(term.text) for term in query.terms])

    async def _names_domains(self) -> bool:
        """Whether each text that looks like a domain begins one that the dictionary has."""
        asked = [term.text for term in self._query.domains if term.text.startswith("@")]
        known = [await self._dictionary.has_begun(domain) for domain in asked]
        return bool(known) and all(known)

    async def _read_as(self, reading: int, limit: int, start: Position | None) -> Matches:
        query = self._readings()[reading]
        other = Finder(self._users, self._dictionary, query, self._filters)
        other._looked_up = self._looked_up
        found = await other._page(limit, start)
        if found.next is None:
            return found
        return replace(found, next=replace(found.next, value=[*found.next.value, reading]))

    async def _page(self, limit: int, start: Position | None) -> Matches:
        if start is not None and start.segment >= _STREAM:
            return await self._streamed(limit, start)
        if told := await self._told():
            called = await self._called()
            ranks = _once([*told, *called])
            return _cut(_after(ranks, start), limit, self._patterns if called else (), len(ranks))
        if not self._patterns:
            return Matches([], None, (), 0)
        counts = await self._count()
        exact: list[Rank] = []
        is_whole = False
        if start is None or start.segment == EXACT:
            if start is None and await self._is_crowd(counts):
                return await self._streamed(limit, None)
            chosen = index_reads.choose_exact(self._patterns, counts, self._filters)
            most = RANKED if start is None else SCAN  # users may have been added since the walk began
            rows, is_whole = await self._read_all(chosen, self._patterns, most)
            if not is_whole and start is None:
                return await self._streamed(limit, None)
            exact = sorted(_ranks(self._patterns, rows))[:most]
        ranks = _after(exact, start)
        patterns = self._patterns
        if len(ranks) <= limit:
            if self._is_alone():
                patterns, near = await self._near_alone(exact, limit, start, is_whole=is_whole)
            else:
                found = bool(exact) or (start is not None and start.segment < TWO_TYPOS)
                patterns, near = await self._near(counts, found=found)
            exact += [one for one in near if one.kind != EXACT]
            ranks = _after(exact, start)
        return _cut(ranks, limit, patterns, len(exact))

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
            self._users,
            self._dictionary,
            self._patterns[0],
            exact=[one.id for one in exact] if is_whole else None,
            most=RANKED,
        )
        near: list[Rank] = []
        async for ranks in search.levels(PREFIX if start is None else start.segment):
            near += ranks
            if len(_after([*exact, *near], start)) > limit:
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

    async def _told(self) -> list[Rank]:
        """Users whose e-mail address or phone number was typed, or a part of it."""
        typed = self._query.email or self._digits
        if typed is None:
            return []
        if self._query.email is not None:
            pipeline, hint, path = index_reads.by_email(typed), "email", "keys.email"
        else:
            pipeline, hint, path = (
                index_reads.by_digits(typed, self._query.zeros),
                "search_digits",
                "search.p",
            )
        narrowed = {"$match": {"$and": self._filters}} if self._filters else {"$match": {}}
        wanted = {"$project": {"keys": 1, "search.p": 1}}
        rows = await self._read([*pipeline, narrowed, {"$limit": RANKED}, wanted], hint=hint)
        zeros = self._query.zeros
        return sorted(
            _told(row, zeros if zeros and _has(row, zeros) else typed, path) for row in rows if is_sound(row)
        )

    async def _called(self) -> list[Rank]:
        """Users who hold the digits of a phone number as a word: a tag, a room."""
        if self._query.email is not None or not self._patterns:
            return []
        chosen = index_reads.choose_exact(self._patterns, await self._count(), self._filters)
        rows, _ = await self._read_all(chosen, self._patterns, RANKED)
        return sorted(_ranks(self._patterns, rows))[:RANKED]

    async def _read_all(
        self, chosen: Iterable[IndexRead], patterns: Sequence[Pattern], most: int, *besides: Filter
    ) -> tuple[list[Row], bool]:
        """The rows of all reads, each once, and whether these are all: False beyond `most`."""
        rows: dict[ObjectId, Row] = {}
        for index_read in chosen:
            pipeline = index_read.pipeline(patterns, [*self._filters, *besides], limit=most + 1)
            found = await self._read(pipeline, hint=index_read.hint)
            rows |= {row["_id"]: row for row in found if is_sound(row)}
            if max(len(found), len(rows)) > most:
                return list(rows.values()), False
            if found and index_read.is_enough:
                break
        return list(rows.values()), True

    async def _read(self, pipeline: list[dict[str, Any]], hint: str = index_reads.INDEX) -> list[Row]:
        reply = await self._users.database.command(
            {
                "aggregate": self._users.name,
                "pipeline": pipeline,
                "cursor": {"batchSize": SCAN + 2},  # more than can come, so that no cursor stays open
                "hint": hint,
            },
            codec_options=self._users.codec_options,
        )
        rows: list[Row] = reply["cursor"]["firstBatch"]
        return rows

    async def _count(self) -> dict[str, int]:
        """About how many users hold each word."""
        words = [pattern.word for pattern in self._patterns if pattern.word]
        return await self._dictionary.count(words) if words else {}

    async def _near(self, counts: dict[str, int], *, found: bool) -> tuple[tuple[Pattern, ...], list[Rank]]:
        """Users who match by prefix or one typo; by two typos only if nobody else is found."""
        for kind in (ONE_TYPO, TWO_TYPOS):
            patterns = await self._widen(kind, counts)
            ranks, is_whole = await self._read_near(patterns)
            if ranks or found:
                break
        if not is_whole:  # typos must not take the places of prefixes
            begun, _ = await self._read_near([replace(pattern, near={}) for pattern in patterns])
            ranks = _once([*begun, *ranks])[:RANKED]
        return patterns, ranks

    async def _read_near(self, patterns: Sequence[Pattern]) -> tuple[list[Rank], bool]:
        chosen = index_reads.choose_near(patterns, self._filters)
        rows, is_whole = await self._read_all(chosen, patterns, RANKED, index_reads.not_exact(patterns))
        return sorted(_ranks(patterns, rows))[:RANKED], is_whole

    async def _widen(self, kind: int, counts: dict[str, int]) -> tuple[Pattern, ...]:
        """The patterns, widened to prefixes and misspelt words."""
        return tuple(
            await asyncio.gather(
                *(self._widened(pattern, kind, counts.get(pattern.word, 0)) for pattern in self._patterns)
            )
        )

    async def _widened(self, pattern: Pattern, kind: int, count: int) -> Pattern:
        if pattern.is_strict:
            return index_reads.widen(pattern, {}, count=count, begun=0)
        asked = (pattern.word, _TYPOS[kind])
        if asked not in self._looked_up:
            near, begun = await asyncio.gather(
                self._dictionary.near(*asked), self._dictionary.weigh(pattern.word)
            )
            self._looked_up[asked] = near, begun
        near, begun = self._looked_up[asked]
        return index_reads.widen(pattern, near, count=count, begun=begun)

    async def _streamed(self, limit: int, start: Position | None) -> Matches:
        """A page of exact matches in the order of the index, posting after posting, before ranked ones."""
        at, place, along = 0, None, index_reads.streams(self._patterns, await self._count(), self._filters)
        if start is not None:
            name, *along = start.value
            at, place = start.segment - _STREAM, replace(start, value=name)
        ranks: list[Rank] = []
        for number in range(at, len(along)):
            for _ in range(_FOLLOWED):
                met, place = await self._follow(along, number, place, limit - len(ranks))
                ranks += met
                if place is None or len(ranks) == limit:
                    break
            if place is not None:
                following = Position(_STREAM + number, [place.value, *along], place.id)
                return Matches(ranks, following, self._patterns, len(ranks))
            if len(ranks) == limit and number + 1 < len(along):
                following = Position(_STREAM + number + 1, ["", *along], None)
                return Matches(ranks, following, self._patterns, len(ranks))
        return Matches(ranks, Position(EXACT + 1, [_BEST, ""], ""), self._patterns, len(ranks))

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
            end = next(map(_place, await self._find(index_reads.past(posting, start))), None)
        scan = index_reads.scan(posting, self._patterns, narrowed, start, end, limit=limit + 1)
        rows = await self._find(scan)
        if len(rows) > limit:
            end = _place(rows.pop())
        fresh = [row for row in rows if postings(row).isdisjoint(along[:number])]
        return _ranks(self._patterns, fresh), end

    async def _find(self, asked: dict[str, Any]) -> list[Row]:
        reply = await self._users.database.command(
            {"find": self._users.name, **asked, "batchSize": SCAN, "singleBatch": True},
            codec_options=self._users.codec_options,
        )
        rows: list[Row] = reply["cursor"]["firstBatch"]
        return rows


def _ranks(patterns: Sequence[Pattern], rows: Iterable[Row]) -> list[Rank]:
    ranked = (rank(patterns, row) for row in rows)
    return [one for one in ranked if one is not None]


def _place(row: Row) -> Position:
    return Position(0, row["keys"]["name"], row["_id"])


def _once(ranks: Iterable[Rank]) -> list[Rank]:
    """The best rank of each user."""
    best: dict[str, Rank] = {}
    for one in ranks:
        best[one.id] = min(one, best.get(one.id, one))
    return sorted(best.values())


def _has(row: Row, digits: str) -> bool:
    return any(suffix.startswith(digits) for suffix in postings(row, "p"))


def _told(row: Row, typed: str, path: str) -> Rank:
    whole = row["keys"]["email"] if path == "keys.email" else max(postings(row, "p"), key=len, default=typed)
    kind = EXACT if whole == typed else PREFIX
    return Rank(kind, -round(len(typed) / len(whole) * 1_000_000), row["keys"]["name"], str(row["_id"]))


def _after(ranks: list[Rank], start: Position | None) -> list[Rank]:
    if start is None:
        return sorted(ranks)
    place = Rank(start.segment, start.value[0], start.value[1], str(start.id))
    return sorted(one for one in ranks if one > place)


def _cut(ranks: list[Rank], limit: int, patterns: tuple[Pattern, ...], known: int) -> Matches:
    more = len(ranks) > limit
    ranks = ranks[:limit]
    last = ranks[-1] if ranks else None
    place = Position(last.kind, [last.minus_score, last.name], last.id) if more and last else None
    return Matches(ranks, place, patterns, known)
