"""Contacts: users whose e-mail address, phone number or username was typed, whole, in part or misspelt."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from app.core.mongo import Collection, Row
from app.search import index_reads, whole_reads
from app.search.matching import EXACT, ONE_TYPO, PREFIX, Rank, is_sound, postings
from app.search.query_parser import Query
from app.search.ranking import RANKED
from app.search.typos import distance

_USERNAME = Rank(EXACT, -1_030_000, "", "")
"""Of the user whose whole username was typed: the best score."""
_LAST = 4
_MISSPELT = -700_000
"""The score of an e-mail address with a typo."""

Filter = dict[str, Any]


class Contacts:
    """The look-ups of one query; `digits` are what its phone number holds."""

    def __init__(
        self, users: Collection, query: Query, filters: Sequence[Filter], digits: str | None = None
    ) -> None:
        self._users = users
        self._query = query
        self._filters = filters
        self._digits = digits

    async def by_username(self) -> Rank | None:
        if self._query.username is None:
            return None
        named = {"keys.username": {"$eq": self._query.username, "$type": "string"}}
        asked = {"filter": {"$and": [named, *self._filters]}, "projection": {"keys": 1}, "limit": 1}
        for row in await whole_reads.find(self._users, {**asked, "hint": "username"}):
            if is_sound(row):
                return replace(_USERNAME, name=row["keys"]["name"], id=str(row["_id"]))
        return None

    async def told(self) -> list[Rank]:
        """Users whose e-mail address or phone number was typed, in part or, of an address, misspelt."""
        if self._query.email is not None:
            typed = self._query.email
            rows = await self._read(index_reads.by_email(typed), hint="email")
            return sorted(_by_address(row, typed) for row in rows) or await self.misspelt()
        if self._digits is not None:
            zeros = self._query.zeros
            rows = await self._read(index_reads.by_digits(self._digits, zeros), hint="search_digits")
            return sorted(_by_number(row, self._digits, zeros) for row in rows)
        return await self.misspelt() if "@" in (self._query.address or "") else []

    async def misspelt(self) -> list[Rank]:
        """Users whose e-mail address is one edit away from what was typed."""
        typed = self._query.address or ""
        found = await asyncio.gather(
            *(self._read(one, hint="email") for one in index_reads.near_email(typed))
        )
        near = {
            str(row["_id"]): Rank(ONE_TYPO, _MISSPELT, row["keys"]["name"], str(row["_id"]))
            for row in chain.from_iterable(found)
            if distance(row["keys"]["email"], typed, 1) is not None
        }
        return sorted(near.values())

    async def _read(self, pipeline: list[Row], hint: str) -> list[Row]:
        narrowed = [{"$match": {"$and": [*self._filters]}}] if self._filters else []
        wanted = {"$project": {"keys": 1, "search.p": 1}}
        rows = await whole_reads.aggregate(
            self._users, [*pipeline, *narrowed, {"$limit": RANKED}, wanted], hint
        )
        return [row for row in rows if is_sound(row)]


def _by_address(row: Row, typed: str) -> Rank:
    return _rank(row, typed, row["keys"]["email"], len(typed) / len(row["keys"]["email"]))


def _by_number(row: Row, digits: str, zeros: str | None) -> Rank:
    """The last four digits of a number are what people know of it: these or more rank before others."""
    held = postings(row, "p")
    typed = zeros if zeros and any(suffix.startswith(zeros) for suffix in held) else digits
    whole = max(held, key=len, default=typed)
    is_end = len(typed) >= _LAST and whole.endswith(typed)
    return _rank(row, typed, whole, (len(typed) / len(whole) + is_end) / 2)


def _rank(row: Row, typed: str, whole: str, score: float) -> Rank:
    kind = EXACT if whole == typed else PREFIX
    return Rank(kind, -round(score * 1_000_000), row["keys"]["name"], str(row["_id"]))
