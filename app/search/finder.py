"""The finder: reads a query in one way after the other until somebody is found, and pages through them.

As typed first, then as other layouts of the keyboard type it, with words as one that were typed apart, and
with more typos; all words but one last. Somebody whose whole username was typed comes before all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from app.core.cursors import Position
from app.core.mongo import Collection
from app.search.but_one import has_title, may_lack_one
from app.search.contacts import Contacts
from app.search.dictionary import Dictionary
from app.search.matching import PREFIX, STAGES, Rank
from app.search.neighbours import Neighbours
from app.search.query_parser import Query, join, retype
from app.search.ranking import Matches
from app.search.reading import Reading
from app.search.streams import STREAM

_NEARER: Sequence[int] = STAGES[:2]
_FURTHER: Sequence[int] = STAGES[1:]
"""What is tried first of all readings of a query, and what only where that finds nobody."""
_BUT_ONE, _BUT_TITLES = -1, -2
"""The numbers of readings in which one word may match nothing, or the titles."""
_PAST_USERNAME = STREAM - 1
"""The segment of a cursor behind a page that held nobody else."""

Filter = dict[str, Any]
Try = tuple[int, Sequence[int]]
"""The number of a reading, and the kinds of matches that are tried."""


class Finder:
    """Finds the users of one query with its filters."""

    def __init__(
        self, users: Collection, dictionary: Dictionary, query: Query, filters: Sequence[Filter]
    ) -> None:
        self._query = query
        self._filters = filters
        self._dictionary = dictionary
        self._neighbours = Neighbours(users, dictionary)
        self._contacts = Contacts(users, query, filters)

    async def page(self, *, limit: int, start: Position | None) -> Matches:
        """Users in ranked order; somebody whose whole username was typed comes before all others, once."""
        first = await self._contacts.by_username()
        if start is not None and start.segment == _PAST_USERNAME:
            return _without(first, await self._first_page(limit))
        if start is not None:
            *value, reading = start.value
            return _without(first, await self._read_as(reading, limit, replace(start, value=value)))
        if first is None:
            return await self._first_page(limit)
        if limit == 1:
            return Matches([first], Position(_PAST_USERNAME, [0], ""), (), 1)
        found = _without(first, await self._read_as(0, limit - 1, None))
        return replace(found, ranks=[first, *found.ranks], known=max(1, found.known))

    async def _first_page(self, limit: int) -> Matches:
        """The first reading of the query that finds users, at first without what finds too much."""
        if await self._names_domains():
            return await self._read_as(len(self._readings()) - 1, limit, None)
        joined = join(self._query)
        found = await self._read_as(0, limit, None, _NEARER if joined else STAGES)
        if found.ranks and found.ranks[0].kind <= PREFIX:
            return found
        for reading, query in enumerate(retype(self._query), 1 + len(joined)):
            if await self._knows(query) and (other := await self._read_as(reading, limit, None)).known:
                return other
        if found.known or found.next:
            return found
        return await self._otherwise(len(joined), limit)

    async def _otherwise(self, joined: int, limit: int) -> Matches:
        """The page where nobody is near all words as typed.

        Without titles; with words as one; with more typos; of an address with a typo; all words but one.
        """
        tries: list[Try] = [(_BUT_TITLES, _NEARER)] if has_title(self._query) else []
        tries += [(reading, _NEARER) for reading in range(1, joined + 1) if await self._may_be_one(reading)]
        tries += [(0, _FURTHER)] if joined else []
        if found := await self._first_of(tries, limit):
            return found
        is_sought = "@" in (self._query.address or "@")  # by the first reading
        if ranks := [] if is_sought else await self._contacts.misspelt():
            return Matches(ranks[:limit], None, (), len(ranks))
        rest: list[Try] = [(_BUT_ONE, _NEARER)] if may_lack_one(self._query) else []
        rest += [] if self._query.email else [(reading, _FURTHER[:-1]) for reading in range(1, joined + 1)]
        return await self._first_of(rest, limit) or Matches([], None, (), 0)

    async def _first_of(self, tries: Iterable[Try], limit: int) -> Matches | None:
        """The page of the first that finds anybody."""
        for reading, stages in tries:
            found = await self._read_as(reading, limit, None, stages)
            if found.known or found.next:
                return found
        return None

    def _readings(self) -> list[Query]:
        """The query as typed, with words joined, in other layouts of the keyboard, with domains as such."""
        domains = [Query(self._query.domains)] if self._query.domains else []
        return [self._query, *join(self._query), *retype(self._query), *domains]

    async def _may_be_one(self, reading: int) -> bool:
        """Whether somebody may have the word that the reading joins; parts of a number always may be one."""
        typed = {term.text for term in self._query.terms}
        words = [term for term in self._readings()[reading].terms if term.text not in typed]
        return all([term.kind != "word" or await self._neighbours.is_known(term.text) for term in words])

    async def _knows(self, query: Query) -> bool:
        """Whether each word is one of the dictionary, or begins one."""
        for word in dict.fromkeys(term.text for term in query.terms):
            if not await self._dictionary.has_begun(word):
                return False
        return True

    async def _names_domains(self) -> bool:
        """Whether each text that looks like a domain begins one that the dictionary has."""
        asked = [term.text for term in self._query.domains if term.text.startswith("@")]
        known = [await self._dictionary.has_begun(domain) for domain in asked]
        return bool(known) and all(known)

    async def _read_as(
        self, reading: int, limit: int, start: Position | None, stages: Sequence[int] = STAGES
    ) -> Matches:
        query = self._query if reading < 0 else self._readings()[reading]
        read = Reading(self._neighbours, query, self._filters, stages)
        if reading < 0:
            found = await read.but_one(limit, start, titles=reading == _BUT_TITLES)
        else:
            found = await read.page(limit, start)
        if found.next is None:
            return found
        return replace(found, next=replace(found.next, value=[*found.next.value, reading]))


def _without(first: Rank | None, found: Matches) -> Matches:
    if first is None:
        return found
    return replace(found, ranks=[one for one in found.ranks if one.id != first.id])
