"""NDJSON: one JSON object a line, with the whole user as in the API or the chosen columns."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import orjson

from app.spreadsheets.batch import Batch
from app.spreadsheets.cells import write_datetimes
from app.spreadsheets.column import Column
from models.user import FIELDS

_MOMENTS: Final = tuple(field.name for field in FIELDS if field.kind.type is datetime)
_ID: Final = b'{"id"'
_STORED_ID: Final = len(b'{"_id"')
_OPTIONS: Final = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


class NdjsonWriter:
    media_type: ClassVar[str] = "application/x-ndjson"
    extension: ClassVar[str] = "ndjson"

    def __init__(self, columns: Sequence[Column] | None) -> None:
        self._columns = columns
        self._moments = (
            _MOMENTS
            if columns is None
            else tuple(column.label for column in columns if column.kind == "datetime")
        )

    def head(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[dict[str, Any]]) -> bytes:
        if self._columns is not None:
            return b"".join(self._write(_flatten(self._columns, rows)))
        # MongoDB puts `_id` first. Renaming it in the text avoids a copy of every row.
        return _ID.join([b"", *[line[_STORED_ID:] for line in self._write(rows)]])

    def tail(self) -> bytes:
        return b""

    def _write(self, rows: Iterable[dict[str, Any]]) -> list[bytes]:
        return [orjson.dumps(self._complete(row), default=str, option=_OPTIONS) for row in rows]

    def _complete(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with a fraction in each time: orjson leaves out one of zero."""
        for name in self._moments:
            moment = row.get(name)
            if type(moment) is datetime and not moment.microsecond:
                return self._complete(row | {name: write_datetimes([moment])[0]})
        return row


def _flatten(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    labels = [column.label for column in columns]
    for values in zip(*Batch(rows).read([column.path for column in columns]), strict=True):
        yield dict(zip(labels, values, strict=True))
