"""The seven orders of a listing, and where in one a row stands.

Each order is walked in segments: the users that have the sort value, then those that miss it, then what only
another hand can have written: values and ids of other types, which no page can show but a walk must meet to
report. Inside the first segment the order is (value, id), inside the others the id.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING

from app.core.cursors import Position
from models.listing import Sort

MongoFilter = dict[str, Any]
Bounds = dict[str, Any]

PRESENT, MISSING, ODD = range(3)


@dataclass(frozen=True, slots=True)
class _Order:
    path: str
    index: str
    present: Bounds
    unique: bool = False
    """Whether no two users share a value: the id then decides nothing, and the index does not hold it."""


_OLDEST = datetime.min  # noqa: DTZ901 - BSON dates have no zone
_DATE: Bounds = {"$gte": _OLDEST}
_NUMBER: Bounds = {"$gte": float("-inf")}
_TEXT: Bounds = {"$gte": ""}
_UNIQUE_TEXT: Bounds = {"$gte": "", "$type": "string"}  # the partial index serves only who asks for its type
_NO_LIST: Bounds = {"$not": {"$type": "array"}}
"""A list matches by each of its items: no position is past it, so it would come again and again."""
_OBJECT_ID: Bounds = {"$gte": ObjectId("0" * 24)}
"""MongoDB compares within one type: past an id of another type, no user of ours would follow."""

ORDERS = {
    "created_at": _Order("created_at", "created_at", _DATE),
    "updated_at": _Order("updated_at", "updated_at", _DATE),
    "last_login_at": _Order("last_login_at", "last_login_at", _DATE),
    "age": _Order("profile.age", "age", _NUMBER),
    "name": _Order("keys.name", "name", _TEXT),
    "email": _Order("keys.email", "email", _UNIQUE_TEXT, unique=True),
    "username": _Order("keys.username", "username", _UNIQUE_TEXT, unique=True),
}


class Order:
    """One of the orders in one direction, perhaps narrowed to a range of its field, or to who lacks it."""

    def __init__(self, sort: Sort, bounds: Bounds | None = None, *, is_missing: bool = False) -> None:
        self._order = ORDERS[sort.removeprefix("-")]
        self._descending = sort.startswith("-")
        self._present = self._order.present | (bounds or {})
        self.path = self._order.path
        self.bounds: MongoFilter = {self.path: bounds} if bounds else {}
        self.segments: tuple[int, ...] = (PRESENT, ODD) if bounds else (PRESENT, MISSING, ODD)
        if is_missing:
            self.bounds = {self.path: {"$eq": None}}
            self.segments = (MISSING,)

    def index(self, segment: int) -> str:
        """The index that holds one of the first two segments; a partial one holds only its half."""
        return (
            f"{self._order.index}_missing" if self._order.unique and segment == MISSING else self._order.index
        )

    def whole(self, segment: int) -> MongoFilter:
        """What is in one of the first two segments, lists and odd ids included: an index alone can tell."""
        return {self.path: self._present if segment == PRESENT else {"$eq": None}}

    def ways(
        self, segment: int, start: Position | None = None, *, backward: bool = False
    ) -> list[MongoFilter]:
        """The filters, one of which a row of the segment meets where it stands past `start` that way."""
        past = "$lt" if self._descending != backward else "$gt"
        here = start if start is not None and start.segment == segment else None
        reach = past + "e" if here is not None and here.inclusive else past
        if segment == PRESENT:
            return self._present_past(here, past, reach)
        beyond = {reach: here.id} if here is not None else {}
        if segment == MISSING:
            return [{self.path: {"$eq": None}, "_id": _OBJECT_ID | beyond}]
        odd = [self.bounds | {"_id": {"$not": _OBJECT_ID} | beyond}]
        if not self._order.unique and not self.bounds:
            odd.append({self.path: {"$ne": None, "$not": self._order.present}, "_id": _OBJECT_ID | beyond})
        return odd

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
