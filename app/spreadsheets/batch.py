"""How a batch of stored users is read by columns: each step of a path is taken once for all rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Beyond:
    """The step to the elements of a list after the first `count`."""

    count: int


Path = tuple[str | int | Beyond, ...]
"""Steps from the document down: a key, an element's index, or the rest of a list."""


class Batch:
    """Rows whose shape may be anything: what is not where a path leads reads as None."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._mappings: dict[Path, Sequence[dict[str, Any]]] = {(): rows}
        self._lists: dict[Path, Sequence[list[Any]]] = {}

    def values(self, path: Path) -> list[Any]:
        *parents, step = path
        parent = tuple(parents)
        match step:
            case str(key):
                return [mapping.get(key) for mapping in self._read_mappings(parent)]
            case int(index):
                return [items[index] if len(items) > index else None for items in self._read_lists(parent)]
            case Beyond(count):
                return [items[count:] or None for items in self._read_lists(parent)]

    def _read_mappings(self, path: Path) -> Sequence[dict[str, Any]]:
        if path not in self._mappings:
            self._mappings[path] = [value if isinstance(value, dict) else {} for value in self.values(path)]
        return self._mappings[path]

    def _read_lists(self, path: Path) -> Sequence[list[Any]]:
        if path not in self._lists:
            self._lists[path] = [value if isinstance(value, list) else [] for value in self.values(path)]
        return self._lists[path]
