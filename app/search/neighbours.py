"""Neighbours: the words that may be meant by a typed one, by the kind of match that is tried.

The dictionary knows words of letters. Words with digits are as many as users, so that it leaves them out: of
those, all spellings one edit away are looked up in the index of postings.
"""

import asyncio
import re
import string
from collections.abc import Iterator
from typing import Any

from app.core.mongo import Collection
from app.search import whole_reads
from app.search.dictionary import HIGHEST, Dictionary
from app.search.matching import BEGUN_TYPO, INSIDE, NICKNAME, ONE_TYPO, SOUND, TWO_TYPOS, Pattern, postings
from app.search.postings import LOGIN, NAME

Near = dict[str, tuple[int, int]]
"""Words, each with the kind of its match and about how many users hold it."""

_LONGEST_NUMBERED = 24
"""Letters and digits of a word whose spellings are looked up."""
_SIGNS = string.ascii_lowercase + string.digits
_MOST = 200
_SCAN = 3_000
_NUMBERED = re.compile(r"([^\W\d_]+)([0-9]+)")
_TYPOS = {ONE_TYPO: 1, TWO_TYPOS: 2}
_FEWEST_LETTERS, _FEWEST_DIGITS = 3, 3


def is_numbered(word: str) -> bool:
    """Whether the word mixes letters and digits, and is no domain."""
    return word.isalnum() and not word.isdecimal() and any(map(str.isdecimal, word))


def respelt(text: str, signs: str, *, upto: int) -> Iterator[str]:
    """All texts that one edit makes of it, within its first letters (`upto`)."""
    for place in range(upto + 1):
        before, after = text[:place], text[place:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
        for sign in signs:
            yield before + sign + after
            yield before + sign + after[1:]


class Neighbours:
    """Looks up the neighbours of one query's words, each once."""

    def __init__(self, users: Collection, dictionary: Dictionary) -> None:
        self.users = users
        self.dictionary = dictionary
        self._looked_up: dict[tuple[str, int], asyncio.Future[Near]] = {}
        self._begun: dict[str, asyncio.Future[int]] = {}

    async def of(self, pattern: Pattern, kind: int) -> Near:
        """What to look for so that the word is met by this kind, and by better ones."""
        asked = pattern.word, kind
        if asked not in self._looked_up:
            self._looked_up[asked] = asyncio.ensure_future(self._find(pattern, kind))
        return await self._looked_up[asked]

    async def is_known(self, word: str) -> bool:
        """Whether somebody has the word, a longer one, or one that is one typo away, perhaps in two words."""
        joined = {"$or": [{"search.t": _begins(letter + word)} for letter in (NAME, LOGIN)]}
        near, is_begun, keys = await asyncio.gather(
            self.dictionary.near(word, 1),
            self.dictionary.has_begun(word),
            whole_reads.find_keys(self.users, {"filter": joined, "limit": 1}),
        )
        return bool(near or is_begun or keys)

    async def weigh(self, word: str) -> int:
        """About how many users hold longer words that begin so."""
        if word not in self._begun:
            self._begun[word] = asyncio.ensure_future(self.dictionary.weigh(word))
        return await self._begun[word]

    async def _find(self, pattern: Pattern, kind: int) -> Near:
        word = pattern.word
        if is_numbered(word):
            return await self._of_numbered(pattern, kind)
        if kind in _TYPOS:
            return await self._misspelt(word, _TYPOS[kind]) | await self._called(pattern)
        if kind == SOUND:
            return _as(kind, await self.dictionary.alike(word)) | await self.of(pattern, ONE_TYPO)
        inside, begun = await asyncio.gather(self.dictionary.holding(word), self._half_typed(pattern))
        return _as(BEGUN_TYPO, begun) | _as(INSIDE, inside) | await self.of(pattern, ONE_TYPO)

    async def _of_numbered(self, pattern: Pattern, kind: int) -> Near:
        if kind == BEGUN_TYPO:
            return await self._numbered(pattern.word)
        return {} if kind == ONE_TYPO else await self.of(pattern, BEGUN_TYPO)

    async def _misspelt(self, word: str, typos: int) -> Near:
        near = await self.dictionary.near(word, typos)
        return {other: (ONE_TYPO if apart == 1 else TWO_TYPOS, n) for other, (apart, n) in near.items()}

    async def _called(self, pattern: Pattern) -> Near:
        """The names of the nickname that was typed, the nicknames of the name."""
        return _as(NICKNAME, await self.dictionary.count(pattern.nicknames)) if pattern.nicknames else {}

    async def _half_typed(self, pattern: Pattern) -> dict[str, int]:
        return await self.dictionary.half_typed(pattern.word) if pattern.is_last else {}

    async def _numbered(self, word: str) -> Near:
        """Words of letters and digits in e-mails and usernames that hold this one, or are one edit away."""
        if inside := await self._holding(word):
            return _as(INSIDE, inside)
        misspelt = await self._misspelt(word, 1)
        if len(word) > _LONGEST_NUMBERED:
            return misspelt
        spellings = sorted({LOGIN + one for one in respelt(word, _SIGNS, upto=len(word)) if one != word})
        return misspelt | _as(ONE_TYPO, await self._words({"search.t": {"$in": spellings}}))

    async def _holding(self, part: str) -> dict[str, int]:
        found = _NUMBERED.fullmatch(part)
        if found is None:
            return {}
        letters, digits = found.groups()
        if len(letters) >= _FEWEST_LETTERS:
            words = await self.dictionary.ending(letters)
            begun = [{"search.t": _begins(LOGIN + word + digits)} for word in words]
            return await self._words({"$or": begun}) if begun else {}
        return await self._before_digits(part, digits) if len(digits) >= _FEWEST_DIGITS else {}

    async def _before_digits(self, part: str, digits: str) -> dict[str, int]:
        """Words whose last letters are few, by the digits that follow."""
        holds = f"^{LOGIN}.+{re.escape(part)}"
        rows = await whole_reads.aggregate(
            self.users,
            [
                {"$match": {"search.t": _begins(LOGIN + digits)}},
                {"$limit": _SCAN},
                {"$match": {"search.t": {"$regex": holds}}},
                {"$limit": _MOST},
                {"$project": {"search.t": 1}},
            ],
        )
        words = (posting for row in rows for posting in postings(row) if re.match(holds, posting))
        return {posting[1:]: 1 for posting in words}

    async def _words(self, wanted: dict[str, Any]) -> dict[str, int]:
        """The words of the postings that are met, read from the keys of the index."""
        keys = await whole_reads.find_keys(self.users, {"filter": wanted, "limit": _MOST})
        return {str(key["search.t"])[1:]: 1 for key in keys}


def _as(kind: int, words: dict[str, int]) -> Near:
    return {word: (kind, n) for word, n in words.items()}


def _begins(prefix: str) -> dict[str, Any]:
    return {"$elemMatch": {"$gte": prefix, "$lt": prefix + HIGHEST}}
