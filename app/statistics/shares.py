"""How many people have each value of a field, the most frequent first, counted through indexes alone."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

from app.core.mongo import Collection, Row
from app.core.normalise import facet
from models.fields import UserField
from models.statistics import MOST_SHARES
from models.user import FACETS

MOST_VALUES = 2_000
"""Values of a field that are counted, in the order of their text: of departments, say, nobody has more."""
_FACETS = {field.called: field for field in FACETS}


async def count_all(users: Collection, people: int) -> dict[str, Row]:
    """The shares of all series, of so many people."""
    return {
        "status": await _count_status(users),
        "country": _share(await _count_facet(users, _FACETS["country"]), people=None),
        "department": _share(await _count_facet(users, _FACETS["department"]), people),
        "locale": _share(await _count_locales(users), people),
    }


async def _count_status(users: Collection) -> Row:
    counted = {
        name: await _count(users, facet("is_active", is_active))
        for name, is_active in (("active", True), ("inactive", False))
    }
    return _share(Counter(counted), people=sum(counted.values()))


async def _count_facet(users: Collection, field: UserField) -> Counter[str]:
    counted: Counter[str] = Counter()
    async for entry, spelling in _find_entries(users, field):
        counted[spelling] += await _count(users, entry)
        if len(counted) == MOST_VALUES:
            break
    return counted


async def _find_entries(users: Collection, field: UserField) -> AsyncIterator[tuple[str, str]]:
    """Each entry of the field in the index, with a spelling of it: one read for each.

    As it is hinted, the index is walked in its order: asked to sort by an array, MongoDB would read it all.
    """
    last, end = f"{field.called}:", f"{field.called};"
    wanted = {"facets": 1, ".".join(field.path): 1}
    while True:
        row = await users.find_one(
            {"facets": {"$elemMatch": {"$gt": last, "$lt": end}}}, wanted, hint="facets"
        )
        if row is None:
            return
        last = min(entry for entry in row["facets"] if isinstance(entry, str) and last < entry < end)
        yield last, _find_spelling(row, field, last)


def _find_spelling(row: Row, field: UserField, entry: str) -> str:
    """As this person writes it; of a malformed row, as it is compared."""
    with suppress(AttributeError, TypeError):
        for value in field.values(row):
            if facet(field.called, value) == entry:
                return str(value)
    return entry.partition(":")[2]


async def _count(users: Collection, entry: str) -> int:
    """By MongoDB's count command, which counts the keys of an index without reading users."""
    counted = await users.database.command(
        {"count": users.name, "query": {"facets": entry}, "hint": "facets"}
    )
    return int(counted["n"])


async def _count_locales(users: Collection) -> Counter[str]:
    pipeline: list[Row] = [
        {"$match": {"locale": {"$gt": ""}}},
        {"$group": {"_id": "$locale", "n": {"$sum": 1}}},
    ]
    async with await users.aggregate(pipeline, hint="locale", allowDiskUse=True) as found:
        return Counter({row["_id"]: row["n"] async for row in found if isinstance(row["_id"], str)})


def _share(counted: Counter[str], people: int | None) -> Row:
    """As stored; `people` where each of them has one value at most."""
    most, all_together = counted.most_common(MOST_SHARES), counted.total()
    return {
        "items": [{"value": value, "people": number} for value, number in most],
        "all": all_together,
        "missing": None if people is None else max(0, people - all_together),
    }
