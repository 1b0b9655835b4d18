"""Reads a batch of stored users by columns, taking each step of a path once for all rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Beyond:
    """
    The step to the elements of a list that columns do not show.

    Those are the ones after the last with a value in its columns: blank cells do not tell whether an element
    exists, nor its other values.
    """

    columns: tuple[frozenset[str], ...]
    """The keys of the first elements, which have columns."""


Path = tuple[str | int | Beyond, ...]
"""Steps from the document down: a key, an element's index, or the rest of a list."""

_NO_MEMBERS: Final[dict[str, Any]] = {}
_NO_ITEMS: Final[list[Any]] = []


class Batch:
    """Rows of any shape: a path that leads nowhere reads as None."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._mappings: dict[Path, Sequence[dict[str, Any]]] = {(): rows}
        self._lists: dict[Path, Sequence[list[Any]]] = {}

    def read(self, paths: Iterable[Path]) -> list[Sequence[Any]]:
        """The values at each path, in the order of the rows."""
        columns: list[Sequence[Any]] = []
        for parent, siblings in groupby(paths, key=_parent):
            columns += self._read_siblings(parent, [path[-1] for path in siblings])
        return columns

    def _read_siblings(self, parent: Path, steps: Sequence[str | int | Beyond]) -> Iterable[Sequence[Any]]:
        keys = [step for step in steps if isinstance(step, str)]
        if len(keys) < len(steps):
            return [self._read_step(parent, step) for step in steps]
        # A mapping's members are read together, while it is in the processor's cache.
        nothing = (None,) * len(keys)
        records = [
            tuple(map(mapping.get, keys)) if mapping else nothing for mapping in self._find_mappings(parent)
        ]
        return zip(*records, strict=True) if records else [()] * len(keys)

    def _read_step(self, parent: Path, step: str | int | Beyond) -> Sequence[Any]:
        match step:
            case str(key):
                return [mapping.get(key) for mapping in self._find_mappings(parent)]
            case int(index):
                return [items[index] if len(items) > index else None for items in self._find_lists(parent)]
            case Beyond(columns):
                return [items[count_shown(items, columns) :] or None for items in self._find_lists(parent)]

    def _find_mappings(self, path: Path) -> Sequence[dict[str, Any]]:
        if path not in self._mappings:
            values = self._read_step(path[:-1], path[-1])
            self._mappings[path] = [value if isinstance(value, dict) else _NO_MEMBERS for value in values]
        return self._mappings[path]

    def _find_lists(self, path: Path) -> Sequence[list[Any]]:
        if path not in self._lists:
            values = self._read_step(path[:-1], path[-1])
            self._lists[path] = [value if isinstance(value, list) else _NO_ITEMS for value in values]
        return self._lists[path]


def count_shown(items: Sequence[Any], columns: Sequence[frozenset[str]]) -> int:
    """The number of elements that columns of these keys show: up to the last with a value in one."""
    shown = min(len(items), len(columns))
    while shown and not _has_value(items[shown - 1], columns[shown - 1]):
        shown -= 1
    return shown


def _has_value(item: Any, keys: frozenset[str]) -> bool:
    """Whether one of the keys has a value; anything but a mapping counts as shown."""
    return not isinstance(item, dict) or any(item.get(key) for key in keys)


def _parent(path: Path) -> Path:
    return path[:-1]
