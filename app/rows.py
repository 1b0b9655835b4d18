"""Stored rows as they leave: checked by the shapes of their values, never rebuilt when they are right.

A row that another hand wrote wrongly is mended where a missing optional is all that ails it, and otherwise
left out, with a log line that names its id and field. The check costs about a microsecond a row: the types
of a row's values are looked up among the combinations already found right.
"""

import types
import typing
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import bson
import structlog
from bson.codec_options import CodecOptions, DatetimeConversion
from prometheus_client import Counter
from pydantic import BaseModel

from models.user import UserOutput

log = structlog.get_logger()

BSON: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,  # a date past Python's years is a bad row, no crash
    unicode_decode_error_handler="replace",
)
OLDEST = datetime(1900, 1, 1)  # noqa: DTZ001 - rows are decoded naive, in UTC
UNREADABLE = Counter("roster_unreadable_rows", "Stored users left out of an answer because a field is wrong.")

_REMEMBERED = 10_000
Row = dict[str, Any]


class _Kind:
    """What one field may hold: one type, a nested object, or a list of either; null or not."""

    def __init__(self, annotation: Any, selection: "Selection | None" = None) -> None:
        if typing.get_origin(annotation) is Annotated:
            annotation = typing.get_args(annotation)[0]
        union = isinstance(annotation, types.UnionType)
        arguments = typing.get_args(annotation) if union else ()
        self.nullable = type(None) in arguments
        bare = next(kind for kind in arguments if kind is not type(None)) if union else annotation
        self.many = typing.get_origin(bare) is list
        self.type: type = typing.get_args(bare)[0] if self.many else bare
        self.nested = _kinds(self.type, selection) if issubclass(self.type, BaseModel) else None


Selection = dict[str, "Selection"]
"""Chosen fields as a tree; an empty branch means all below it."""


def _kinds(model: type[BaseModel], selection: Selection | None = None) -> dict[str, _Kind]:
    return {
        name: _Kind(field.annotation, (selection or {}).get(name))
        for name, field in model.model_fields.items()
        if not selection or name in selection
    }


class _WrongError(Exception):
    """A value that no caller can be given, and where it stands."""


class RowReader:
    """Reads rows of one selection of fields: `sound(rows)` are those fit to leave, in their order."""

    def __init__(self, selection: Selection | None = None) -> None:
        self._fields = _kinds(UserOutput, selection)
        self._fields.pop("id", None)
        self._dates = [name for name, kind in self._fields.items() if kind.type is datetime]
        self._lists = [name for name, kind in self._fields.items() if kind.many]
        self._seen: set[Any] = set()

    def sound(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that are right, mended ones among them; the wrong ones are logged and counted."""
        found = []
        for row in rows:
            if self._is_known(row):
                found.append(row)
                continue
            try:
                found.append(self._mend(row))
            except _WrongError as wrong:
                UNREADABLE.inc()
                log.warning("unreadable_row", id=str(row.get("_id"))[:64], field=str(wrong))
        return found

    def _is_known(self, row: Row) -> bool:
        seen = self._seen
        if (*row, *map(type, row.values())) not in seen:
            return False
        for name in self._lists:
            if row[name] and set(map(type, row[name])) != {str}:
                return False
        for name in self._dates:
            value = row[name]
            if value is not None and value < OLDEST:
                return False
        profile = row.get("profile")
        if profile is None:
            return True
        if (*profile, *map(type, profile.values())) not in seen:
            return False
        for address in profile.get("addresses", ()):
            if type(address) is not dict or (*address, *map(type, address.values())) not in seen:
                return False
        return True

    def _mend(self, row: Row) -> Row:
        _id = row.get("_id")
        if not isinstance(_id, bson.ObjectId):
            raise _WrongError("_id")
        mended = {"_id": _id} | self._object(row, self._fields, "")
        self._learn(mended)
        return mended

    def _learn(self, row: Row) -> None:
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        profile = row.get("profile", {})
        for level in (row, profile, *profile.get("addresses", ())):
            self._seen.add((*level, *map(type, level.values())))

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
            return int(value)  # BSON's int64 comes as a subclass
        if type(value) is not kind.type or (isinstance(value, datetime) and value < OLDEST):
            raise _WrongError(path)
        return value
