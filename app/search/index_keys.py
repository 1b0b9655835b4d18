"""Keys of the index of postings: a posting, the sort key of the name and the id, read without their users."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId

from app.core.mongo import Collection, Row
from app.search import whole_reads
from app.search.matching import EXACT, Pattern, Rank, score_named
from app.search.names import pair
from app.search.postings import NAME

_BY_OTHER_FIELDS = -1_010_000
"""The best score of two words of which one is in no name, but in an e-mail address."""


class IndexKeys:
    def __init__(self, users: Collection) -> None:
        self._users = users

    async def merged(self, tokens: Sequence[str], most: int) -> list[Row]:
        """The first keys of several postings by name and id; MongoDB merges them and sorts nothing."""
        words = {"search.t": {"$in": list(tokens)}}
        return await self.read({"filter": words, "sort": {"keys.name": 1, "_id": 1}, "limit": most})

    async def read(self, asked: Mapping[str, Any]) -> list[Row]:
        return await whole_reads.find_keys(self._users, asked)

    async def named(self, patterns: Sequence[Pattern], most: int) -> list[Rank]:
        """The best ranks of those who have the one word, or both words, in their name.

        As `matching.rank` has them; without those before whom others may rank. More than `most` if there
        are.
        """
        words = [pattern.word for pattern in patterns]
        token = NAME + words[0] if len(words) == 1 else pair(*words)
        found = [key for key in await self.merged([token], most + 1) if is_sound(key)]
        ranks = sorted(
            Rank(EXACT, score_named(words, key["keys.name"]), key["keys.name"], str(key["_id"]))
            for key in found
        )
        if len(words) == 1 or len(found) > most:
            return ranks
        return [one for one in ranks if one.minus_score < _BY_OTHER_FIELDS]


def is_sound(key: Row) -> bool:
    """Whether the key is well formed: other programs may have stored anything."""
    return isinstance(key.get("keys.name"), str) and isinstance(key["_id"], ObjectId)
