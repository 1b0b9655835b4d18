"""Upkeep of search: renews and checks the search fields while the service runs."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping

import pymongo
from bson import ObjectId
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from app.core.mongo import Collection, Row
from app.search.dictionary import Dictionary, merge
from app.search.postings import VERSION, Indexed, index
from models.user import SEARCHED

_BATCH = 500
_NAMED = 20
"""The most differences that are reported one by one."""
_LOOK_S = 2.0
_REFUSED = frozenset({121, 11_000})
"""DocumentValidationFailure and DuplicateKey."""
_READ = dict.fromkeys((*(field.path[0] for field in SEARCHED.values()), "search", "version"), 1)


class SearchIndex:
    """The search fields of all users, and the dictionary."""

    def __init__(self, users: Collection) -> None:
        self._users = users
        self._dictionary = Dictionary(users.database)

    async def reindex(self, *, on_batch: Callable[[int], None] = lambda _: None) -> int:
        """Renew every user's search fields and count every word; how many users had to change.

        A user who is changed meanwhile stays as that change wrote them. Words come first, so that none is
        missing at any moment; writes meanwhile may make a count inexact. Malformed rows stay as they are.
        """
        counts: Counter[str] = Counter()
        changed = 0
        async for rows in batches(self._users, _READ):
            fields = [(row, made) for row in rows if (made := _index(row)) is not None]
            for _, made in fields:
                counts.update(made.words.keys())
            await self._dictionary.know(merge(made.words for _, made in fields))
            changes = [_change(row, made) for row, made in fields if _differs(row, made)]
            changed += (await write(self._users, changes))[0]
            on_batch(len(rows))
        await self._dictionary.recount(counts)
        return changed

    async def is_outdated(self) -> bool:
        """Whether one of the oldest users has search fields of another scheme.

        After a release with a new scheme all users have. A `reindex` that was killed late may have left
        others: `check` finds those.
        """
        try:
            with pymongo.timeout(_LOOK_S):
                found = await self._users.find_one(
                    {"search.v": {"$ne": VERSION}}, {"_id": 1}, sort=[("$natural", 1)]
                )
        except PyMongoError as error:
            if not error.timeout:
                raise
            return False
        return found is not None

    async def check(self) -> list[str]:
        """A sentence for each difference from what search needs; empty where there is none."""
        found: list[str] = []
        words: set[str] = set()
        async for rows in batches(self._users, _READ):
            for row in rows:
                made = _index(row)
                if made is None:
                    found.append(f"user {row['_id']} has a value that is not text where text should be")
                    continue
                words |= made.words.keys()
                if _differs(row, made):
                    found.append(f"user {row['_id']} has search fields that do not match their text")
        if len(found) > _NAMED:
            found = [*found[:_NAMED], f"and {len(found) - _NAMED} users more"]
        missing = await self._dictionary.find_missing(words)
        if missing:
            found.append(
                f"{missing} words are missing from the dictionary: they are found exactly, but not misspelt"
            )
        return found


def _index(row: Row) -> Indexed | None:
    """The search fields of a row; None where other programs stored numbers or lists in place of text."""
    try:
        return index(row)
    except (AttributeError, TypeError):
        return None


def _differs(row: Row, made: Indexed) -> bool:
    return bool(row.get("search") != _fields(made))


def _fields(made: Indexed) -> Row:
    return {"v": VERSION, "t": made.t, "p": made.p}


def _change(row: Row, made: Indexed) -> UpdateOne:
    condition = {"_id": row["_id"], "version": row.get("version")}
    return UpdateOne(condition, {"$set": {"search": _fields(made)}})


async def write(users: Collection, changes: list[UpdateOne]) -> tuple[int, list[str]]:
    """Write changes of derived fields; how many users changed, and ids of those that MongoDB refused.

    The validator refuses rows that are malformed elsewhere, a unique index keys that two users would share.
    """
    if not changes:
        return 0, []
    try:
        return (await users.bulk_write(changes, ordered=False)).modified_count, []
    except BulkWriteError as error:
        wrong = error.details["writeErrors"]
        if any(write["code"] not in _REFUSED for write in wrong):
            raise
        return int(error.details["nModified"]), [str(write["op"]["q"]["_id"]) for write in wrong]


async def batches(
    users: Collection, wanted: Mapping[str, int], size: int = _BATCH
) -> AsyncIterator[list[Row]]:
    """All users by id, some at a time, so that a long walk meets each once."""
    last: Row = {"_id": {"$gte": ObjectId("0" * 24)}}  # an id of another type would end the walk
    while rows := await users.find(last, wanted).sort("_id", 1).limit(size).to_list():
        last = {"_id": {"$gt": rows[-1]["_id"]}}
        yield rows
