"""Search for one word alone: matches by prefix or typo, read from the keys of the index.

A key holds all that such a match is ranked by (class, length of the word, name, id), so the best are known
without reading a user. Up to `SCAN` keys are ranked as they are; where there are more, the words come from
the dictionary, the shortest first, and for each length MongoDB merges their postings by name.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from bson import MaxKey, MinKey, ObjectId

from app.core.mongo import Collection
from app.search import index_reads
from app.search.dictionary import HIGHEST, Dictionary
from app.search.index_reads import INDEX, MERGED, SCAN
from app.search.matching import ONE_TYPO, PREFIX, TWO_TYPOS, Pattern, Rank, score_alone

_WORDS = 3_000
"""The most words of the dictionary with one beginning."""

Key = Mapping[str, Any]


class SingleWordSearch:
    """A search for one word; in the end, `pattern` is what was searched for."""

    def __init__(
        self,
        users: Collection,
        dictionary: Dictionary,
        pattern: Pattern,
        *,
        exact: Sequence[str] | None,
        most: int,
    ) -> None:
        """`exact`: all users who match exactly, if known; `most`: how many of a kind and class to rank."""
        self._users = users
        self._dictionary = dictionary
        self._met = set(exact or ())
        self._is_whole = exact is not None
        self._most = most
        self._is_any = bool(exact) or exact is None
        self.pattern = replace(pattern, prefixes=tuple(letter + pattern.word for letter in pattern.letters))

    async def levels(self, least: int) -> AsyncIterator[list[Rank]]:
        """Yields ranks by kind, from `least` on, and by class: all of a level rank before the next.

        Two typos are tried only where nobody else is found.
        """
        self._is_whole = self._is_whole and least <= PREFIX
        if least <= PREFIX:
            for letter in self.pattern.letters:
                yield await self._fresh(PREFIX, await self._begun(letter))
        for kind, typos in ((ONE_TYPO, 1), (TWO_TYPOS, 2)):
            if least <= kind and not (kind == TWO_TYPOS and self._is_any):
                near = await self._dictionary.near(self.pattern.word, typos)
                self.pattern = index_reads.widen(self.pattern, near, count=0, begun=0)
                for letter in self.pattern.letters:
                    yield await self._fresh(kind, await self._misspelt(kind, letter))

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
        keys = await self._keys({**_past(letter + self.pattern.word), "limit": SCAN + 1})
        some = self._best(PREFIX, keys)
        return some if len(keys) <= SCAN else await self._shortest(letter) or some

    async def _shortest(self, letter: str) -> list[Rank]:
        words = sorted(await self._dictionary.begun(self.pattern.word, limit=_WORDS), key=len)
        found: list[Rank] = []
        for _, alike in groupby(words, key=len):
            tokens = [letter + word for word in alike]
            for start in range(0, len(tokens), MERGED):
                keys = await self._merged(tokens[start : start + MERGED])
                found += self._best(PREFIX, keys)
            if len(found) >= self._most:
                break
        best = {one.id: one for one in sorted(found, reverse=True)}
        return sorted(best.values())[: self._most]

    async def _misspelt(self, kind: int, letter: str) -> list[Rank]:
        near = self.pattern.near.items()
        tokens = [token for token, one in near if one == kind and token[0] == letter]
        return self._best(kind, await self._merged(tokens)) if tokens else []

    def _best(self, kind: int, keys: Sequence[Key]) -> list[Rank]:
        """The best rank of each user, sorted."""
        scores = {token: score_alone(kind, self.pattern.word, token) for token in {*map(_token, keys)}}
        ranks = sorted(
            (scores[key["search.t"]], key["keys.name"], str(key["_id"])) for key in keys if _is_sound(key)
        )
        best: dict[str, Rank] = {}
        for score, name, user_id in ranks:
            if user_id not in best:
                best[user_id] = Rank(kind, score, name, user_id)
            if len(best) == self._most:
                break
        return list(best.values())

    async def _merged(self, tokens: Sequence[str]) -> list[Key]:
        """The first keys of several postings by name and id; MongoDB merges them and sorts nothing."""
        words = {"search.t": {"$in": list(tokens)}}
        order = {"keys.name": 1, "_id": 1}
        return await self._keys({"filter": words, "sort": order, "limit": self._most})

    async def _keys(self, asked: Mapping[str, Any]) -> list[Key]:
        reply = await self._users.database.command(
            {
                "find": self._users.name,
                **asked,
                "hint": INDEX,
                "returnKey": True,
                "batchSize": SCAN + 1,
                "singleBatch": True,
            },
            codec_options=self._users.codec_options,
        )
        keys: list[Key] = reply["cursor"]["firstBatch"]
        return keys


def _past(beginning: str) -> dict[str, Any]:
    """The bounds of postings with this beginning, without the word itself, which may be a crowd's."""
    return {
        "min": {"search.t": beginning, "keys.name": MaxKey(), "_id": MaxKey()},
        "max": {"search.t": beginning + HIGHEST, "keys.name": MinKey(), "_id": MinKey()},
    }


def _token(key: Key) -> str:
    return str(key["search.t"])


def _is_sound(key: Key) -> bool:
    """Whether the key is well formed: other programs may have stored anything."""
    return isinstance(key.get("keys.name"), str) and isinstance(key["_id"], ObjectId)
