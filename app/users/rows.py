"""Checks stored rows before they are sent, by the types of their values, without rebuilding sound ones.

A malformed row, written by another program, is completed where only an optional field is missing, and
otherwise left out, with a log line that names its id and field.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any

import bson
import structlog
from prometheus_client import Counter
from pydantic import BaseModel

from app.core.mongo import Row
from models.fields import Kind
from models.user import KEPT, UserOutput

log = structlog.get_logger()

OLDEST = datetime(1900, 1, 1)  # noqa: DTZ001 - rows are decoded naive, in UTC
UNREADABLE = Counter(
    "roster_unreadable_rows", "Stored users left out of an answer because a field is malformed."
)


class _Kind:
    """What one field may hold; `nested`: the fields of an object."""

    def __init__(self, annotation: Any, selection: "Selection | None" = None) -> None:
        kind = Kind.of(annotation)
        self.type, self.nullable, self.many = kind.type, kind.nullable, kind.many
        self.nested = _kinds(kind.type, selection) if issubclass(kind.type, BaseModel) else None


Selection = dict[str, "Selection"]
"""Chosen fields as a tree; an empty branch means everything below."""


def _kinds(model: type[BaseModel], selection: Selection | None = None) -> dict[str, _Kind]:
    return {
        name: _Kind(field.annotation, (selection or {}).get(name))
        for name, field in model.model_fields.items()
        if not selection or name in selection
    }


class _WrongError(Exception):
    """A malformed value, and its path."""


class _Check:
    """Checks column by column that many objects have just these fields with the right types.

    The loops over rows run in C: a row costs about a microsecond.
    """

    def __init__(self, fields: dict[str, _Kind], *, extra: type | None = bson.ObjectId) -> None:
        self._names = (*fields, *(("_id",) if extra else ()))
        self._values = itemgetter(*self._names) if len(self._names) > 1 else None
        self._types = [_types(kind) for kind in fields.values()] + ([{extra}] if extra else [])
        self._places = {name: place for place, name in enumerate(fields)}
        self._dates = [self._places[name] for name, kind in fields.items() if kind.type is datetime]
        self._lists = [self._places[name] for name, kind in fields.items() if kind.many and not kind.nested]
        self._nested = [
            (self._places[name], kind.many, _Check(kind.nested, extra=None))
            for name, kind in fields.items()
            if kind.nested is not None
        ]

    def passes(self, rows: Sequence[Row]) -> bool:
        if not rows:
            return True
        if set(map(len, rows)) != {len(self._names)}:
            return False
        try:
            columns = list(zip(*map(self._values, rows), strict=True)) if self._values else [self._only(rows)]
        except KeyError:
            return False
        return (
            all(
                types.issuperset(map(type, column))
                for types, column in zip(self._types, columns, strict=True)
            )
            and all({str}.issuperset(map(type, chain.from_iterable(columns[place]))) for place in self._lists)
            and all(min(filter(None, columns[place]), default=OLDEST) >= OLDEST for place in self._dates)
            and all(
                self._pass_nested(columns[place], check, many=many) for place, many, check in self._nested
            )
        )

    def _only(self, rows: Sequence[Row]) -> tuple[Any, ...]:
        return tuple(row[self._names[0]] for row in rows)

    def _pass_nested(self, column: Sequence[Any], check: "_Check", *, many: bool) -> bool:
        objects = list(chain.from_iterable(column)) if many else column
        return {dict}.issuperset(map(type, objects)) and check.passes(objects)


def _types(kind: _Kind) -> set[type]:
    held = list if kind.many else dict if kind.nested else kind.type
    return {held, type(None)} if kind.nullable else {held}


class RowReader:
    """Reads rows of one selection of fields."""

    def __init__(self, selection: Selection | None = None) -> None:
        self._fields = _kinds(UserOutput, selection)
        self._fields.pop("id", None)
        self._check = _Check(self._fields)

    def sound(self, rows: list[Row]) -> list[Row]:
        """The well-formed rows in order, completed ones included; malformed ones are logged and counted."""
        if self._check.passes(rows):
            return rows
        found = []
        for row in rows:
            try:
                found.append(self._mend(row))
            except _WrongError as wrong:
                UNREADABLE.inc()
                log.warning("unreadable_row", id=str(row.get("_id"))[:64], field=str(wrong))
        return found

    def _mend(self, row: Row) -> Row:
        _id = row.get("_id")
        if not isinstance(_id, bson.ObjectId):
            raise _WrongError("_id")
        return {"_id": _id} | self._object(KEPT | row, self._fields, "")  # the release before writes none

    def _object(self, value: Row, fields: dict[str, _Kind], path: str) -> Row:
        return {name: self._value(value.get(name), kind, f"{path}{name}") for name, kind in fields.items()}

    def _value(self, value: Any, kind: _Kind, path: str) -> Any:
        if kind.many:
            if value is not None and not isinstance(value, list):
                raise _WrongError(path)
            return [self._one(item, kind, f"{path}.{place}") for place, item in enumerate(value or ())]
        if value is None and (kind.nullable or kind.nested):
            return self._object({}, kind.nested, f"{path}.") if kind.nested else None
        return self._one(value, kind, path)

    def _one(self, value: Any, kind: _Kind, path: str) -> Any:
        if kind.nested is not None:
            if not isinstance(value, dict):
                raise _WrongError(path)
            return self._object(value, kind.nested, f"{path}.")
        if kind.type is int and isinstance(value, int) and not isinstance(value, bool):
            return int(value)  # BSON's int64 is a subclass
        if type(value) is not kind.type or (isinstance(value, datetime) and value < OLDEST):
            raise _WrongError(path)
        return value
