"""The dictionary: every word that users hold, with the neighbourhood by which a misspelt one finds it.

Work for typos is done once for each distinct word, not for each user. A word is stored before the write of
the first user who holds it is committed, so none is ever missing. `n` only guides the choice of an index
range, so it is rough: one write in `_SAMPLED` counts for as many. Words are never deleted while the service
runs. If somebody drops the collection, the next count notices, and words are learnt again from then on.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from pymongo.errors import OperationFailure

from app.core.mongo import Database
from app.search.sounds import MARK, is_alike, likeness, sound
from app.search.typos import (
    HALF_TYPED,
    beginnings,
    distance,
    endings,
    half_typed,
    is_begun_near,
    neighbourhood,
)

_log = structlog.get_logger("roster.search")

COLLECTION = "terms"
NEIGHBOURS = 20
"""The most words that one misspelt word may stand for."""

MANY_NEIGHBOURS = 200
"""The same where nothing better is found: two typos, or a typo in a half-typed word."""

SHORTEST = {1: 4, 2: 5}
"""For each number of typos, the letters that the longer word must have."""
SHORTEST_INSIDE = 5
"""The letters from the middle of a word that find it; three where digits follow."""

HIGHEST = "\U0010ffff"
"""Sorts after every character of a word."""

_CANDIDATES = {1: 600, 2: 1_500}
"""For each number of typos, the most words to compare."""
_HALF_TYPED = 1_500
_ALIKE = 1_500
"""The most words of one sound to compare."""
_WEIGHED = 200
_SAMPLED = 64
_WHOLENESS = {True: 1, False: 2}
"""What `k` of a word says, by whether it occurs only in e-mails and usernames; raise both with the scheme."""
_BATCH = 1_000
_ON_ONE = {"w": 1}
"""One node acknowledges: a word lost in a fail-over is still found exactly, and `search check` names it."""
Vocabulary = Mapping[str, bool]
"""Words, each with whether it occurs only in e-mails and usernames."""


class Known:
    """A cache of words that the dictionary has, in two generations of `most` words.

    Most words of e-mails occur once, names again and again. A word of the older generation that occurs again
    moves to the younger one; the rest is dropped with its generation.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._young: dict[str, bool] = {}
        self._old: dict[str, bool] = {}

    def has(self, word: str, *, is_login: bool) -> bool:
        """Whether the word is known; False also if it was known only from e-mails and now is elsewhere."""
        was_login = self._young.get(word)
        if was_login is None and (was_login := self._old.get(word)) is not None:
            self._put(word, is_login=was_login)
        return was_login is not None and was_login <= is_login

    def add(self, words: Vocabulary) -> None:
        for word, is_login in words.items():
            self._put(word, is_login=is_login)

    def _put(self, word: str, *, is_login: bool) -> None:
        if len(self._young) >= self._most:
            self._young, self._old = {}, self._young
        self._young[word] = is_login

    def clear(self) -> None:
        self._young, self._old = {}, {}


def merge(vocabularies: Iterable[Vocabulary]) -> dict[str, bool]:
    """All words of the vocabularies; a word is of e-mails only if it is in all of them."""
    merged: dict[str, bool] = {}
    for words in vocabularies:
        for word, is_login in words.items():
            merged[word] = is_login and merged.get(word, True)
    return merged


class Dictionary:
    def __init__(self, database: Database) -> None:
        self._words = database[COLLECTION]
        self._known = Known()

    @asynccontextmanager
    async def learning(self, users: Iterable[Vocabulary]) -> AsyncIterator[Awaitable[None]]:
        """Learn the words of users beside their write, which awaits what this yields before it commits."""
        learnt: asyncio.Future[None] = asyncio.ensure_future(self.learn(users))
        try:
            yield learnt
        finally:
            await asyncio.gather(learnt, return_exceptions=True)

    async def learn(self, users: Iterable[Vocabulary]) -> None:
        """Store the words of users who are not written yet; those of one user in `_SAMPLED` are counted."""
        counts: Counter[str] = Counter()
        held = list(users)
        for words in held:
            if random.random() < 1 / _SAMPLED:  # noqa: S311 - guards nothing
                counts.update(words.keys())
        words = merge(held)
        news = {
            word: is_login for word, is_login in words.items() if not self._known.has(word, is_login=is_login)
        }
        await self.know(news)
        if counts and await self._raise(counts) < len(counts):
            self._known.clear()
            _log.warning("dictionary_lost", remedy="python -m app search reindex")
            await self.know(words)

    async def _lacking(self, words: Vocabulary) -> dict[str, bool]:
        """The words that the dictionary lacks, or has with a smaller neighbourhood than they need."""
        found = self._words.find({"_id": {"$in": list(words)}}, {"k": 1})
        whole = {term["_id"]: term.get("k", 0) async for term in found}
        return {
            word: is_login for word, is_login in words.items() if whole.get(word, 0) < _WHOLENESS[is_login]
        }

    async def _raise(self, counts: Counter[str]) -> int:
        """Raise the counts of words; how many of them the dictionary has."""
        raised = {word: n * _SAMPLED for word, n in counts.items()}
        return await self._change(
            [{"q": {"_id": word}, "u": {"$inc": {"n": n}}} for word, n in raised.items()]
        )

    async def know(self, words: Vocabulary) -> None:
        """Put those of the words that are not there yet, with their neighbourhoods, into the dictionary.

        A word that occurs only in e-mails is mostly one user's, and gets the neighbourhood of one typo: a
        fifth of the work.
        """
        if words:
            lacking = await self._lacking(words)
            await self._change([_learning(word, is_login=is_login) for word, is_login in lacking.items()])
            self._known.add(words)

    async def recount(self, counts: Counter[str]) -> None:
        """Set how many users hold each word; words that nobody holds stay, as 0."""
        await self._words.update_many({}, {"$set": {"n": 0}})
        await self._change([{"q": {"_id": word}, "u": {"$set": {"n": n}}} for word, n in counts.items()])

    async def count(self, words: Iterable[str]) -> dict[str, int]:
        """About how many users hold each; words that nobody ever held are left out."""
        found = self._words.find({"_id": {"$in": list(words)}}, {"n": 1})
        return {term["_id"]: int(term["n"]) async for term in found}

    async def near(self, typed: str, typos: int) -> dict[str, tuple[int, int]]:
        """Words within so many typos (optimal string alignment) of the typed one, the nearest first.

        One typo is forgiven where either word has four letters, two where either has five. Each word comes
        with its distance and about how many users hold it. The symmetric deletes of SymSpell find them: texts
        that deleting letters makes of both words. A domain (`@example.com`) is near only to domains.
        """
        if len(typed) < SHORTEST[1] - 1:
            return {}
        shortest = min(len(typed), 9) - typos
        wanted = [token for token in neighbourhood(typed) if len(token) >= shortest]
        found = self._words.find({"d": {"$in": wanted}}, {"n": 1}).limit(_CANDIDATES[typos])
        near = []
        async for term in found:
            word = str(term["_id"])
            apart = distance(typed, word, typos) if (word[0] == "@") == (typed[0] == "@") else None
            if apart and max(len(word), len(typed)) >= SHORTEST[apart]:
                near.append((apart, -int(term["n"]), word))
        most = NEIGHBOURS if typos == 1 else MANY_NEIGHBOURS
        return {word: (apart, -n) for apart, n, word in sorted(near)[:most]}

    async def half_typed(self, typed: str) -> dict[str, int]:
        """Words of which a beginning is one typo away, each with about how many users hold it."""
        if len(typed) < HALF_TYPED[0] or typed[0] == "@":
            return {}
        found = self._words.find({"d": {"$in": half_typed(typed)}}, {"n": 1}).limit(_HALF_TYPED)
        near = [
            (-int(term["n"]), word) async for term in found if is_begun_near(typed, word := str(term["_id"]))
        ]
        return {word: -n for n, word in sorted(near)[:MANY_NEIGHBOURS]}

    async def alike(self, typed: str) -> dict[str, int]:
        """Words that sound like the typed one, the most alike first, with about how many users hold each."""
        if not (code := sound(typed)):
            return {}
        found = self._words.find({"d": MARK + code}, {"n": 1}).limit(_ALIKE)
        alike = [
            (-likeness(typed, word), -int(term["n"]), word)
            async for term in found
            if (word := str(term["_id"])) != typed and is_alike(typed, word)
        ]
        return {word: -n for _, n, word in sorted(alike)[:NEIGHBOURS]}

    async def holding(self, part: str) -> dict[str, int]:
        """Words that hold this part past their first letter, with about how many users hold each."""
        inside = {"$elemMatch": {"$gte": part, "$lt": part + HIGHEST}}
        return await self._some({"s": inside}) if len(part) >= SHORTEST_INSIDE else {}

    async def ending(self, part: str) -> dict[str, int]:
        """Words that end so."""
        return await self._some({"s": part})

    async def _some(self, wanted: Mapping[str, Any]) -> dict[str, int]:
        found = self._words.find(wanted, {"n": 1}).limit(MANY_NEIGHBOURS)
        return {str(term["_id"]): int(term["n"]) async for term in found}

    async def begun(self, beginning: str, *, limit: int) -> list[str]:
        """Longer words with this beginning, in their order."""
        found = self._words.find({"_id": {"$gt": beginning, "$lt": beginning + HIGHEST}}, {"_id": 1})
        return [term["_id"] async for term in found.sort("_id", 1).limit(limit)]

    async def has_begun(self, beginning: str) -> bool:
        """Whether a word is this, or begins with it."""
        found = self._words.find({"_id": {"$gte": beginning, "$lt": beginning + HIGHEST}}, {"_id": 1})
        return bool(await found.limit(1).to_list())

    async def weigh(self, beginning: str) -> int:
        """About how many users hold longer words with this beginning, counted over the first `_WEIGHED`."""
        words = {"$match": {"_id": {"$gt": beginning, "$lt": beginning + HIGHEST}}}
        added = {"$group": {"_id": None, "n": {"$sum": "$n"}}}
        async for all_of_them in await self._words.aggregate([words, {"$limit": _WEIGHED}, added]):
            return int(all_of_them["n"])
        return 0

    async def find_missing(self, words: Iterable[str]) -> int:
        """How many of the words the dictionary lacks."""
        wanted = sorted(words)
        here = 0
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            here += await self._words.count_documents({"_id": {"$in": batch}})
        return len(wanted) - here

    async def _change(self, changes: list[dict[str, Any]]) -> int:
        """Run updates by the bare command: one round trip, acknowledged by one node (`_ON_ONE`).

        Returns how many documents matched or were made.
        """
        met = 0
        for start in range(0, len(changes), _BATCH):
            reply = await self._words.database.command(
                {
                    "update": self._words.name,
                    "updates": changes[start : start + _BATCH],
                    "ordered": False,
                    "writeConcern": _ON_ONE,
                }
            )
            if reply.get("writeErrors"):
                raise OperationFailure("The dictionary refused a word.", details=reply)
            met += reply["n"]
        return met


def _learning(word: str, *, is_login: bool) -> dict[str, Any]:
    inside = endings(word) if word[0] != "@" else []
    if is_login:
        change: dict[str, Any] = {
            "$setOnInsert": {"n": 1, "d": neighbourhood(word, 1)},
            "$set": {"s": inside},
        }
    else:
        tokens = [*neighbourhood(word), *beginnings(word), *([MARK + code] if (code := sound(word)) else [])]
        change = {"$setOnInsert": {"n": 1}, "$set": {"d": tokens, "s": inside, "k": _WHOLENESS[False]}}
    return {"q": {"_id": word}, "u": change, "upsert": True}
