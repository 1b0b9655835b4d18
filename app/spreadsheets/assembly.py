"""Assembles the addresses of a user from a row's columns."""

from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from typing import Any, Final

from app.spreadsheets.columns import MOST_ADDRESSES, REST, catalogue

Address = Mapping[str, Any]
_PLACES: Final = {
    column.name: (column.path[2], column.path[3])
    for column in catalogue(MOST_ADDRESSES)
    if column.path[:2] == ("profile", "addresses") and column.name != REST
}
"""The place and the part of each column of an address."""


def merge_addresses(values: Mapping[str, Any], addresses: Sequence[Address]) -> list[dict[str, Any]]:
    """
    The user's addresses after a row; `import(export(x)) == x` for every list.

    First come those with columns, up to the last that has a value, then those of the column of the rest.
    Without such a column the user's addresses beyond the columns stay in their places. The same row again
    changes nothing.
    """
    parts = _part(values)
    said = [parts.pop(place) for place in list(takewhile(parts.__contains__, count()))]
    first = [
        {**(addresses[place] if place < len(addresses) else {}), **given} for place, given in enumerate(said)
    ]
    if REST in values:
        kept, rest = _count(said), values[REST] or []
    else:
        kept, rest = _count_kept(first, addresses), addresses[len(said) :]
    return _set_far([*first[:kept], *map(dict, rest)], parts)


def _part(values: Mapping[str, Any]) -> dict[Any, dict[Any, Any]]:
    """The values of the columns of addresses by place, and by part."""
    parts: dict[Any, dict[Any, Any]] = {}
    for name, value in values.items():
        if (found := _PLACES.get(name)) is not None:
            parts.setdefault(found[0], {})[found[1]] = value
    return parts


def _count_kept(first: Sequence[Address], addresses: Sequence[Address]) -> int:
    """The number of addresses up to the last with a value or empty in the user; all if more follow."""
    if len(addresses) > len(first):
        return len(first)
    empty = [place + 1 for place, was in enumerate(addresses) if not _holds(was)]
    return max([_count(first), *empty])


def _count(addresses: Sequence[Address]) -> int:
    """The number up to the last with a value."""
    return max((place for place, each in enumerate(addresses, start=1) if _holds(each)), default=0)


def _holds(address: Address) -> bool:
    return any(address.values())


def _set_far(addresses: list[dict[str, Any]], parts: Mapping[int, Address]) -> list[dict[str, Any]]:
    """Set columns of later addresses, such as `address4_city` without an `address3_`."""
    for place in sorted(parts):
        if _holds(parts[place]):
            addresses += [{} for _ in range(place + 1 - len(addresses))]
        if place < len(addresses):
            addresses[place].update(parts[place])
    return addresses
