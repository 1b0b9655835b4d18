"""Assembles the addresses of a user from a row's columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.spreadsheets.batch import count_shown
from app.spreadsheets.columns import MOST_ADDRESSES, REST, find_address_columns

Address = Mapping[str, Any]


def merge_addresses(values: Mapping[str, Any], addresses: Sequence[Address]) -> list[dict[str, Any]]:
    """
    The user's addresses after a row; `import(export(x)) == x` for every list.

    First come those with columns, up to the last that has a value, then those of the column of the rest.
    Without such a column the user's addresses beyond the columns stay in their places. The same row again
    changes nothing.
    """
    columns = find_address_columns(values)
    said = [_parts(values, place) for place in range(len(columns))]
    first = [
        {**(addresses[place] if place < len(addresses) else {}), **parts} for place, parts in enumerate(said)
    ]
    if REST in values:
        kept, rest = count_shown(said, columns), values[REST] or []
    else:
        kept, rest = _count_kept(first, addresses), addresses[len(columns) :]
    return _set_far([*first[:kept], *map(dict, rest)], values, len(columns))


def _count_kept(first: Sequence[Address], addresses: Sequence[Address]) -> int:
    """The number of addresses up to the last with a value or empty in the user; all if more follow."""
    if len(addresses) > len(first):
        return len(first)
    kept = [place for place, now in enumerate(first) if _holds(now)]
    empty = [place for place, (_, was) in enumerate(zip(first, addresses, strict=False)) if not _holds(was)]
    return max([0, *(place + 1 for place in kept + empty)])


def _holds(address: Address) -> bool:
    return any(address.values())


def _set_far(
    addresses: list[dict[str, Any]], values: Mapping[str, Any], columns: int
) -> list[dict[str, Any]]:
    """Set columns of later addresses, such as `address4_city` without an `address3_`."""
    for place in range(columns, MOST_ADDRESSES):
        parts = _parts(values, place)
        if any(parts.values()):
            addresses += [{} for _ in range(place + 1 - len(addresses))]
        if place < len(addresses):
            addresses[place].update(parts)
    return addresses


def _parts(values: Mapping[str, Any], place: int) -> dict[str, Any]:
    """The columns' values of the address at that place."""
    start = f"address{place + 1}_"
    return {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}
