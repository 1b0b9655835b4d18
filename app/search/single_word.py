"""Search for one word alone: matches by prefix or typo, read from the keys of the index.

A key holds all that such a match is ranked by (class, length of the word, name, id), so the best are known
without reading a user. Up to `SCAN` keys are ranked as they are; where there are more, the words come from
the dictionary, the shortest first, and for each length MongoDB merges their postings by name.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from bson import MaxKey, MinKey, ObjectId

from app.core.mongo import Row
from app.search import index_reads
from app.search.dictionary import HIGHEST
from app.search.index_keys import IndexKeys, is_sound
from app.search.index_reads import MERGED, SCAN
from app.search.matching import BEGUN_TYPO, PREFIX, STAGES, TWO_TYPOS, Pattern, Rank, score_alone
from app.search.neighbours import Neighbours, is_numbered

_WORDS = 3_000
"""The most words of the dictionary with one beginning."""


class SingleWordSearch:
    """A search for one word; in the end, `pattern` is what was searched for."""

    def __init__(
        self,
        neighbours: Neighbours,
        pattern: Pattern,
        *,
        exact: Sequence[str] | None,
        most: int,
        stages: Sequence[int] = STAGES,
    ) -> None:
        """`exact`: all users who match exactly, if known; `most`: how many of a kind and class to rank."""
        self._users = neighbours.users
        self._dictionary = neighbours.dictionary
        self._neighbours = neighbours
        self._keys = IndexKeys(self._users)
        self._met = set(exact or ())
        self._is_whole = exact is not None
        self._most = most
        self._stages = stages
        self._is_any = bool(exact) or exact is None
        self._is_near = self._is_any
        """Whether somebody matches exactly or by a prefix."""
        self.pattern = replace(pattern, prefixes=tuple(letter + pattern.word for letter in pattern.letters))

    async def levels(self, least: int) -> AsyncIterator[list[Rank]]:
        """Yields ranks by kind, from `least` on, and by class: all of a level rank before the next.

        Two typos are tried only where nobody else is found; the middle of words, and typos in a half-typed
        word, where nobody holds it as typed.
        """
        self._is_whole = self._is_whole and least <= PREFIX
        if least <= PREFIX:
            for letter in self.pattern.letters:
                yield await self._fresh(PREFIX, await self._begun(letter))
            self._is_near = self._is_near or (self._is_any and not is_numbered(self.pattern.word))
        for kind in self._stages:
            is_better = self._is_near if kind == BEGUN_TYPO else self._is_any and kind >= TWO_TYPOS
            if kind < least or is_better:
                continue
            before, near = self.pattern.near, await self._neighbours.of(self.pattern, kind)
            self.pattern = index_reads.widen(self.pattern, near)
            fresh = {token: one for token, one in self.pattern.near.items() if token not in before}
            for one in sorted({one for one in fresh.values() if one >= least}):
                for letter in self.pattern.letters:
                    tokens = [token for token, kind in fresh.items() if kind == one and token[0] == letter]
                    yield await self._fresh(one, await self._misspelt(one, tokens))

    async def _fresh(self, kind: int, ranks: list[Rank]) -> list[Rank]:
        """The ranks of users who do not match in a better way."""
        fresh = [one for one in ranks if one.id not in self._met]
        if fresh and not self._is_whole:
            better = await self._better(kind, fresh)
            fresh = [one for one in fresh if one.id not in better]
        self._met |= {one.id for one in fresh}
        self._is_whole = self._is_whole and len(ranks) < self._most
        self._is_any = self._is_any or bool(fresh)
        return fresh

    async def _better(self, kind: int, ranks: Sequence[Rank]) -> frozenset[str]:
        plain = replace(self.pattern, near={}, prefixes=self.pattern.prefixes if kind > PREFIX else ())
        ids = {"_id": {"$in": [ObjectId(one.id) for one in ranks]}}
        found = self._users.find({"$and": [ids, index_reads.holds(plain)]}, {"_id": 1}).hint("_id_")
        return frozenset([str(row["_id"]) async for row in found])

    async def _begun(self, letter: str) -> list[Rank]:
        keys = await self._keys.read({**_past(letter + self.pattern.word), "limit": SCAN + 1})
        some = self._best(PREFIX, keys)
        return some if len(keys) <= SCAN else await self._shortest(letter) or some

    async def _shortest(self, letter: str) -> list[Rank]:
        words = sorted(await self._dictionary.begun(self.pattern.word, limit=_WORDS), key=len)
        found: list[Rank] = []
        for _, alike in groupby(words, key=len):
            tokens = [letter + word for word in alike]
            for start in range(0, len(tokens), MERGED):
                keys = await self._keys.merged(tokens[start : start + MERGED], self._most)
                found += self._best(PREFIX, keys)
            if len(found) >= self._most:
                break
        best = {one.id: one for one in sorted(found, reverse=True)}
        return sorted(best.values())[: self._most]

    async def _misspelt(self, kind: int, tokens: Sequence[str]) -> list[Rank]:
        return self._best(kind, await self._keys.merged(tokens[:MERGED], self._most)) if tokens else []

    def _best(self, kind: int, keys: Sequence[Row]) -> list[Rank]:
        """The best rank of each user, sorted."""
        word = self.pattern.word
        ranks = sorted(
            (score_alone(kind, word, key["search.t"], key["keys.name"]), key["keys.name"], str(key["_id"]))
            for key in keys
            if is_sound(key)
        )
        best: dict[str, Rank] = {}
        for score, name, user_id in ranks:
            if user_id not in best:
                best[user_id] = Rank(kind, score, name, user_id)
            if len(best) == self._most:
                break
        return list(best.values())


def _past(beginning: str) -> dict[str, Any]:
    """The bounds of postings with this beginning, without the word itself, which may be a crowd's."""
    return {
        "min": {"search.t": beginning, "keys.name": MaxKey(), "_id": MaxKey()},
        "max": {"search.t": beginning + HIGHEST, "keys.name": MinKey(), "_id": MinKey()},
    }
