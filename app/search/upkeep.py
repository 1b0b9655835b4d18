"""Search fields made anew, and checked, while the service runs."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from app.search.terms import Terms
from app.search.tokens import VERSION, index

Users = AsyncCollection[dict[str, Any]]

_BATCH = 500
_NAMED = 20
"""Differences that are told one by one."""
_READ = ("name", "username", "email", "phone", "tags", "profile", "search", "version")


async def reindex(users: Users, *, on_batch: Callable[[int], None] = lambda _: None) -> int:
    """Renew what every user holds for search and count every word; how many users had to change.

    A user who is changed meanwhile is left as that change wrote him. The words come first, so that none is
    missing at any moment; a count may be off by what is written meanwhile.
    """
    terms = Terms(users.database)
    counts: Counter[str] = Counter()
    changed = 0
    async for rows in _batches(users):
        fields = [index(row) for row in rows]
        for made in fields:
            counts.update(made.words.keys())
        words: dict[str, bool] = {}
        for made in fields:
            for word, is_login in made.words.items():
                words[word] = words.get(word, True) and is_login
        await terms.know(words)
        changes = [
            UpdateOne(
                {"_id": row["_id"], "version": row["version"]},
                {"$set": {"search": {"v": VERSION, "t": made.t, "p": made.p}}},
            )
            for row, made in zip(rows, fields, strict=True)
            if _differs(row, made.t, made.p)
        ]
        if changes:
            changed += (await users.bulk_write(changes, ordered=False)).modified_count
        on_batch(len(rows))
    await terms.recount(counts)
    return changed


async def check(users: Users) -> list[str]:
    """What differs from what search needs, a sentence each; nothing when all is well."""
    found: list[str] = []
    words: set[str] = set()
    wrong = 0
    async for rows in _batches(users):
        for row in rows:
            made = index(row)
            words |= made.words.keys()
            if _differs(row, made.t, made.p):
                wrong += 1
                if wrong <= _NAMED:
                    found.append(f"user {row['_id']} has other search fields than his text gives")
    if wrong > _NAMED:
        found.append(f"and {wrong - _NAMED} users more")
    missing = await Terms(users.database).find_missing(words)
    if missing:
        found.append(f"{missing} words are missing in the dictionary: they are found exactly, not misspelt")
    return found


def _differs(row: dict[str, Any], postings: list[str], digits: list[str]) -> bool:
    held = row.get("search") or {}
    return held.get("v") != VERSION or held.get("t") != postings or held.get("p") != digits


async def _batches(users: Users) -> AsyncIterator[list[dict[str, Any]]]:
    """All users in the order of ids, so that a long walk meets each once."""
    last: dict[str, Any] = {}
    wanted = dict.fromkeys(_READ, 1)
    while rows := await users.find(last, wanted).sort("_id", 1).limit(_BATCH).to_list():
        yield rows
        last = {"_id": {"$gt": rows[-1]["_id"]}}
