"""The seven orders of a listing, and where in one a row stands.

Each order is walked in segments: the users that have the sort value, then those that miss it, then (fields
that another hand could fill with anything) those whose value is of another type, which no page can show but
a walk must meet to report. Inside the first segment the order is (value, id), inside the others the id.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING

from app.cursors import Position
from models.listing import Sort

MongoFilter = dict[str, Any]
Bounds = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Order:
    path: str
    index: str
    present: Bounds
    missing: bool = True
    """Whether users can miss the value."""
    others: bool = False
    """Whether values of other types may stand in the index."""


_OLDEST = datetime.min  # noqa: DTZ901 - BSON dates have no zone
_DATE: Bounds = {"$gte": _OLDEST}
_NUMBER: Bounds = {"$gte": float("-inf")}
_TEXT: Bounds = {"$gte": ""}
_UNIQUE_TEXT: Bounds = {"$gte": "", "$type": "string"}  # the partial index serves only who asks for its type

ORDERS = {
    "created_at": _Order("created_at", "created_at", _DATE, others=True),
    "updated_at": _Order("updated_at", "updated_at", _DATE, others=True),
    "last_login_at": _Order("last_login_at", "last_login_at", _DATE, others=True),
    "age": _Order("profile.age", "age", _NUMBER, others=True),
    "name": _Order("keys.name", "name", _TEXT),
    "email": _Order("keys.email", "email", _UNIQUE_TEXT, missing=False),
    "username": _Order("keys.username", "username", _UNIQUE_TEXT),
}


class Order:
    """One of the orders in one direction, perhaps narrowed to a range of its own field."""

    def __init__(self, sort: Sort, bounds: Bounds | None = None) -> None:
        self._order = ORDERS[sort.removeprefix("-")]
        self.path = self._order.path
        self.index = self._order.index
        self.is_hidden = self.path.startswith("keys.")
        self._descending = sort.startswith("-")
        self.bounds: MongoFilter = {self.path: bounds} if bounds else {}
        self._present = self._order.present | (bounds or {})
        self._segments = [{self.path: self._present}]
        if self._order.missing and not bounds:
            self._segments.append({self.path: {"$eq": None}})
        if self._order.others and not bounds:
            self._segments.append({self.path: {"$ne": None, "$not": self._order.present}})

    def __len__(self) -> int:
        return len(self._segments)

    def ways(self, segment: int, start: Position | None, *, backward: bool) -> list[MongoFilter]:
        """The filters, one of which a row of the segment meets where it stands past `start` that way."""
        base = self._segments[segment]
        if start is None or start.segment != segment:
            return [base]
        past = "$lt" if self._descending != backward else "$gt"
        if segment > 0:
            return [base | {"_id": {past: start.id}}]
        bounds = {key: bound for key, bound in self._present.items() if key[:3] != past[:3]}
        return [
            {self.path: {"$eq": start.value} | _types(self._present), "_id": {past: start.id}},
            {self.path: bounds | {past: start.value}},
        ]

    def sort(self, segment: int, *, backward: bool) -> list[tuple[str, int]]:
        direction = DESCENDING if self._descending != backward else ASCENDING
        return [(self.path, direction), ("_id", direction)] if segment == 0 else [("_id", direction)]

    def position(self, row: dict[str, Any], segment: int) -> Position:
        value: Any = row
        for part in self.path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return Position(segment, value if segment == 0 else None, row["_id"])


def _types(bounds: Bounds) -> Bounds:
    return {"$type": bounds["$type"]} if "$type" in bounds else {}
