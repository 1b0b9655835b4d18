"""The dictionary: every word that users hold, with the neighbourhood by which a misspelt one finds it.

A document: `{_id: the word, n: about how many users hold it, d: its neighbourhood}` (`app.search.typos`). The
work for typos is done once a distinct word, not once a user. A word is known before the user who holds it is
written, so none is ever missing; `n` guides the choice of an index range and nothing else, so it is rough:
one write in `_SAMPLED` counts for as many. Words are never taken out while the service runs. Should another
hand drop the collection, a count that finds its words gone tells, and they are learnt again from then on.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from pymongo.errors import OperationFailure

from app.core.mongo import Database
from app.search.typos import distance, neighbourhood

_log = structlog.get_logger("roster.search")

COLLECTION = "terms"
NEIGHBOURS = 20
"""Words that one misspelt word may stand for."""

SHORTEST = {1: 4, 2: 8}
"""Letters of the longer word for which so many typos are forgiven."""

HIGHEST = "\U0010ffff"
"""Behind every character of a word."""

_CANDIDATES = 600
_WEIGHED = 200
_SAMPLED = 16
_BATCH = 1_000
_REMEMBERED = 20_000
_ON_ONE = {"w": 1}
"""A word lost in a fail-over is still found exactly, and `search check` names it: no write waits for more."""
Vocabulary = Mapping[str, bool]
"""Words, each with whether it stands in e-mails and usernames alone."""


class Known:
    """Words that are known to be known, those that were met lately.

    Most words of e-mails are met once, names again and again. What is met again while the older generation
    lasts goes on into the younger; the rest is forgotten with its generation, of `_REMEMBERED` words.
    """

    def __init__(self) -> None:
        self._young: dict[str, bool] = {}
        self._old: dict[str, bool] = {}

    def has(self, word: str, *, is_login: bool) -> bool:
        """False also for one that was known from e-mails alone and stands elsewhere now."""
        was_login = self._young.get(word)
        if was_login is None and (was_login := self._old.get(word)) is not None:
            self._put(word, is_login=was_login)
        return was_login is not None and was_login <= is_login

    def add(self, words: Vocabulary) -> None:
        for word, is_login in words.items():
            self._put(word, is_login=is_login)

    def _put(self, word: str, *, is_login: bool) -> None:
        if len(self._young) >= _REMEMBERED:
            self._young, self._old = {}, self._young
        self._young[word] = is_login

    def clear(self) -> None:
        self._young, self._old = {}, {}


_known: dict[str, Known] = {}
"""By the name of the database."""


def merge(vocabularies: Iterable[Vocabulary]) -> dict[str, bool]:
    """All their words; of e-mails alone are those that no other has elsewhere."""
    merged: dict[str, bool] = {}
    for words in vocabularies:
        for word, is_login in words.items():
            merged[word] = is_login and merged.get(word, True)
    return merged


class Dictionary:
    def __init__(self, database: Database) -> None:
        self._words = database[COLLECTION]
        self._known = _known.setdefault(database.name, Known())

    async def learn(self, users: Iterable[Vocabulary]) -> None:
        """The words of users about to be written. Those of one user in sixteen are counted."""
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

    async def _raise(self, counts: Counter[str]) -> int:
        """How many of the words the dictionary has."""
        raised = {word: n * _SAMPLED for word, n in counts.items()}
        return await self._change(
            [{"q": {"_id": word}, "u": {"$inc": {"n": n}}} for word, n in raised.items()]
        )

    async def know(self, words: Vocabulary) -> None:
        """Each word stands in the dictionary afterwards, with its neighbourhood.

        Of a word of e-mails alone, which is mostly one user's, that of one typo: a fifth of the work.
        """
        await self._change([_learning(word, is_login=is_login) for word, is_login in words.items()])
        self._known.add(words)

    async def recount(self, counts: Counter[str]) -> None:
        """Set how many users hold each word; those that nobody holds are 0, not gone."""
        await self._words.update_many({}, {"$set": {"n": 0}})
        await self._change([{"q": {"_id": word}, "u": {"$set": {"n": n}}} for word, n in counts.items()])

    async def count(self, words: Iterable[str]) -> dict[str, int]:
        """About how many users hold each; words that nobody ever held are left out."""
        found = self._words.find({"_id": {"$in": list(words)}}, {"n": 1})
        return {term["_id"]: int(term["n"]) async for term in found}

    async def near(self, typed: str, typos: int) -> dict[str, tuple[int, int]]:
        """Words within so many typos (optimal string alignment) of the typed one, the nearest first.

        One is forgiven where either word has four letters, two where either has eight. Each comes with its
        distance and about how many users hold it. The symmetric deletes of SymSpell find them: what can be
        made of both words by deleting letters. A domain (`@example.com`) is near to domains alone.
        """
        if len(typed) < SHORTEST[1] - 1:
            return {}
        shortest = min(len(typed), 9) - typos
        wanted = [token for token in neighbourhood(typed) if len(token) >= shortest]
        found = self._words.find({"d": {"$in": wanted}}, {"n": 1}).limit(_CANDIDATES)
        near = []
        async for term in found:
            word = str(term["_id"])
            apart = distance(typed, word, typos) if (word[0] == "@") == (typed[0] == "@") else None
            if apart and max(len(word), len(typed)) >= SHORTEST[apart]:
                near.append((apart, -int(term["n"]), word))
        return {word: (apart, -n) for apart, n, word in sorted(near)[:NEIGHBOURS]}

    async def begun(self, beginning: str, *, limit: int) -> list[str]:
        """Words that begin so and are longer, in their order."""
        found = self._words.find({"_id": {"$gt": beginning, "$lt": beginning + HIGHEST}}, {"_id": 1})
        return [term["_id"] async for term in found.sort("_id", 1).limit(limit)]

    async def has_begun(self, beginning: str) -> bool:
        """Whether there is a word that is this or begins so."""
        found = self._words.find({"_id": {"$gte": beginning, "$lt": beginning + HIGHEST}}, {"_id": 1})
        return bool(await found.limit(1).to_list())

    async def weigh(self, beginning: str) -> int:
        """About how many hold words that begin so and are longer; at least as many as hold the first ones."""
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
        """By the bare command, in one round trip and acknowledged by one node: see `_ON_ONE`.

        How many documents there were to change, or are now.
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
                raise OperationFailure("The dictionary did not take a word.", details=reply)
            met += reply["n"]
        return met


def _learning(word: str, *, is_login: bool) -> dict[str, Any]:
    if is_login:
        change: dict[str, Any] = {"$setOnInsert": {"n": 1, "d": neighbourhood(word, 1)}}
    else:
        change = {"$setOnInsert": {"n": 1}, "$set": {"d": neighbourhood(word)}}
    return {"q": {"_id": word}, "u": change, "upsert": True}
