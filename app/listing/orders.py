"""The orders of a listing, and positions in them.

Each order is walked in two segments: users with the sort value, ordered by (value, id), then users without
it, ordered by id. Ids and values of other types are in neither: only other programs can have written them,
past the validator, and `app check` names such users.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING

from app.core.cursors import Position
from models.listing import Sort
from models.user import SORTED

MongoFilter = dict[str, Any]
Bounds = dict[str, Any]

PRESENT, MISSING = range(2)


@dataclass(frozen=True, slots=True)
class _Order:
    path: str
    index: str
    present: Bounds
    unique: bool = False
    """Whether no two users share a value: then the index does not need the id."""


_OLDEST = datetime.min  # noqa: DTZ901 - BSON dates have no zone
_DATE: Bounds = {"$gte": _OLDEST}
_NUMBER: Bounds = {"$gte": float("-inf")}
_TEXT: Bounds = {"$gte": ""}
_UNIQUE_TEXT: Bounds = {
    "$gte": "",
    "$type": "string",
}  # the partial index serves only queries that name its type
_NO_LIST: Bounds = {"$not": {"$type": "array"}}
"""Excludes lists, which match by each item: no position is past one, so it would come again and again."""
FIRST_ID, LAST_ID = ObjectId("0" * 24), ObjectId("f" * 24)
_OBJECT_ID: Bounds = {"$gte": FIRST_ID}
"""Ids of our type alone: MongoDB compares within one type, so that none would follow another type's."""

_PRESENT = {datetime: _DATE, int: _NUMBER, str: _TEXT}
ORDERS = {
    field.name: _Order(
        field.stored_at,
        field.name,
        _UNIQUE_TEXT if field.declared.unique else _PRESENT[field.kind.type],
        unique=field.declared.unique,
    )
    for field in SORTED
}


class Order:
    """One order in one direction, perhaps narrowed to a range of its field, or to users without it."""

    def __init__(self, sort: Sort, bounds: Bounds | None = None, *, is_missing: bool = False) -> None:
        self._order = ORDERS[sort.removeprefix("-")]
        self._descending = sort.startswith("-")
        self._present = self._order.present | (bounds or {})
        self.path = self._order.path
        self.bounds: MongoFilter = {self.path: bounds} if bounds else {}
        self.segments: tuple[int, ...] = (PRESENT,) if bounds else (PRESENT, MISSING)
        if is_missing:
            self.bounds = {self.path: {"$eq": None}}
            self.segments = (MISSING,)

    def index(self, segment: int) -> str:
        """The index of a segment; a partial index holds only one of them."""
        return (
            f"{self._order.index}_missing" if self._order.unique and segment == MISSING else self._order.index
        )

    def whole(self, segment: int) -> MongoFilter:
        """A filter for a segment that an index alone answers, with lists and odd ids."""
        return {self.path: self._present if segment == PRESENT else {"$eq": None}}

    def ways(
        self, segment: int, start: Position | None = None, *, backward: bool = False
    ) -> list[MongoFilter]:
        """Filters, of which each row of the segment past `start` meets one."""
        past = "$lt" if self._descending != backward else "$gt"
        here = start if start is not None and start.segment == segment else None
        reach = past + "e" if here is not None and here.inclusive else past
        if segment == PRESENT:
            return self._present_past(here, past, reach)
        beyond = {reach: here.id} if here is not None else {}
        return [{self.path: {"$eq": None}, "_id": _OBJECT_ID | beyond}]

    def _present_past(self, here: Position | None, past: str, reach: str) -> list[MongoFilter]:
        parent, _, _ = self.path.rpartition(".")
        guard = {parent: _NO_LIST} if parent else {}
        if here is None:
            return [guard | {self.path: self._present | _NO_LIST, "_id": _OBJECT_ID}]
        bounds = {key: bound for key, bound in self._present.items() if key[:3] != past[:3]} | _NO_LIST
        if self._order.unique:
            return [guard | {self.path: bounds | {reach: here.value}, "_id": _OBJECT_ID}]
        return [
            guard | {self.path: {"$eq": here.value} | _NO_LIST, "_id": {reach: here.id}},
            guard | {self.path: bounds | {past: here.value}, "_id": _OBJECT_ID},
        ]

    def place(self, value: Any, row_id: ObjectId) -> Position:
        """Where the row with this value (None: without one) and id is or would be, within the range."""
        if value is None:
            return Position(MISSING, None, row_id, inclusive=True)
        bounds = self.bounds.get(self.path) or {}
        if (lower := bounds.get("$gte")) is not None and value < lower:
            value, row_id = lower, FIRST_ID
        elif (upper := bounds.get("$lte")) is not None and value > upper:
            value, row_id = upper, LAST_ID
        return Position(PRESENT, value, row_id, inclusive=True)

    def sort(self, segment: int, *, backward: bool = False) -> list[tuple[str, int]]:
        direction = DESCENDING if self._descending != backward else ASCENDING
        if segment != PRESENT:
            return [("_id", direction)]
        return [(self.path, direction)] + ([] if self._order.unique else [("_id", direction)])

    def value(self, row: dict[str, Any]) -> Any:
        found: Any = row
        for part in self.path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def position(self, row: dict[str, Any], segment: int) -> Position:
        return Position(segment, self.value(row) if segment == PRESENT else None, row["_id"])
