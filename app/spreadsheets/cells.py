"""Stored values as cells: str, int, float, bool, datetime or None."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import orjson

from app.spreadsheets import lists
from app.spreadsheets.batch import Batch
from app.spreadsheets.column import Column, Kind

LARGEST_EXACT: Final = 2**53
"""The largest integer that a workbook keeps exact."""

FIRST_DATE: Final = datetime(1900, 3, 1)  # noqa: DTZ001  # stored datetimes are naive UTC
"""The first date that all programs read alike: before it, Excel counts a day that never existed."""


class NoValue:
    """A cell that shows an error, so that it cannot be imported as a value."""


Uniform = Literal["blank", "text", "integer", "boolean", "datetime", "mixed"]


class Cells(NamedTuple):
    """One column of a batch. Its values have the type `kind` or are None, unless it is mixed."""

    kind: Uniform
    values: Sequence[Any]


TYPES: Final[dict[type, Uniform]] = {str: "text", int: "integer", bool: "boolean", datetime: "datetime"}
_NOTHING: Final = frozenset({type(None)})
_DATETIMES: Final = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_WITHOUT_FRACTION: Final = len("2026-01-31T08:00:00Z")


def read(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> list[Cells]:
    """The rows by columns; a value of another type than its column's becomes text."""
    batch = Batch(rows).read([column.path for column in columns])
    return [_read_column(column.kind, values) for column, values in zip(columns, batch, strict=True)]


def read_plain(rows: Sequence[Sequence[Any]]) -> list[Cells]:
    """Rows of cells from a file's reader, by columns; times are aware."""
    columns = [list(map(_simplify, values)) for values in zip(*rows, strict=True)]
    return [Cells(_name_type(values), values) for values in columns]


def write_json(value: object) -> bytes:
    """JSON with datetimes as in `write_datetimes`, and other types as text."""
    return orjson.dumps(value, default=_write_other, option=orjson.OPT_PASSTHROUGH_DATETIME)


def write_datetimes(values: Sequence[datetime | None]) -> list[str]:
    """Naive times in UTC, as PyMongo decodes them, in ISO 8601 with six digits of fraction.

    The API leaves out a zero fraction, but pandas cannot read a column in which only some have one.
    """
    # One call for the whole column takes a sixth of the time of `isoformat` for each value.
    listed = orjson.dumps(values, option=_DATETIMES).decode()
    if "null" in listed:
        texts = listed[1:-1].replace('"', "").replace("null", "").split(",")
    else:
        texts = listed[2:-2].split('","')
    return [f"{text[:-1]}.000000Z" if len(text) == _WITHOUT_FRACTION else text for text in texts]


def make_exact(value: Any) -> Any:
    """The value, or a text where a cell's type would lose it: huge integers, early dates."""
    if isinstance(value, int) and abs(value) > LARGEST_EXACT:
        return str(value)
    if isinstance(value, int) and type(value) is not bool:
        return int(value)  # MongoDB's integers of 64 bits are of a class of their own
    if isinstance(value, datetime) and value < FIRST_DATE:
        return write_datetimes([value])[0]
    return value


def _write_other(value: object) -> str:
    return write_datetimes([value])[0] if isinstance(value, datetime) else str(value)


def _read_column(kind: Kind, values: Sequence[Any]) -> Cells:
    # Types are tested by column, not by value, which makes the writers fast.
    types = set(map(type, values)) - _NOTHING
    if not types:
        return Cells("blank", values)
    if len(types) == 1 and TYPES.get(*types) == kind:
        return Cells(kind, values)
    convert = _CONVERTERS[kind]
    cells = [None if value is None else convert(value) for value in values]
    return Cells(_name_type(cells), cells)


def _simplify(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return str(value) if isinstance(value, str) else value  # the text of a formula


def _name_type(cells: list[Any]) -> Uniform:
    types = set(map(type, cells)) - _NOTHING
    if not types:
        return "blank"
    return TYPES.get(types.pop(), "mixed") if len(types) == 1 else "mixed"


def _as_text(value: Any) -> str | None:
    if isinstance(value, datetime):
        return write_datetimes([value])[0]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return write_json(value).decode() if isinstance(value, (dict, list)) else str(value)


def _as_list(value: Any) -> str | None:
    if isinstance(value, list):
        return lists.join([text for item in value if (text := _as_text(item))])
    return _as_text(value)


def _as_json(value: Any) -> str:
    """In which nothing looks like an escape of a workbook: SheetJS and openpyxl make such ones of it."""
    return write_json(value).decode().replace("_x", "\\u005fx")


def _as_integer(value: Any) -> int | float | str | None:
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)  # BSON's 64-bit integers are a subclass
    return _as_text(value)


def _as_boolean(value: Any) -> bool | str | None:
    return value if isinstance(value, bool) else _as_text(value)


def _as_datetime(value: Any) -> datetime | str | None:
    return value if isinstance(value, datetime) else _as_text(value)


_CONVERTERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    "text": _as_text,
    "integer": _as_integer,
    "boolean": _as_boolean,
    "datetime": _as_datetime,
    "list": _as_list,
    "json": _as_json,
}
