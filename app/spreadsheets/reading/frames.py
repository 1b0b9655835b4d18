"""Frames by which the reader process sends rows: each a length and JSON.

JSON and not pickle, so that a file that takes over the reader gets no further.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from app.core.errors import (
    FieldError,
    FileTooLargeError,
    InvalidError,
    RosterError,
    UnreadableFileError,
    UnsupportedFileError,
)
from app.spreadsheets.reading.values import UNREAD, Cell, SourceRow, UncertainEncodingError, Unread
from models.export import Format

LENGTH: Final = struct.Struct(">I")
LONGEST: Final = 64 * 2**20
"""The most bytes of a frame."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SPECIAL: Final = frozenset({datetime, *UNREAD.values()})
_ERRORS: Final = {
    error.code: error
    for error in (UnreadableFileError, UnsupportedFileError, FileTooLargeError, InvalidError)
}


def write(frame: dict[str, Any]) -> bytes:
    body = orjson.dumps(frame)
    return LENGTH.pack(len(body)) + body


def write_head(
    form: Format,
    heading: Sequence[str],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    other_sheets: Sequence[str] = (),
    hidden_columns: Sequence[int] = (),
) -> bytes:
    head = {
        "form": form,
        "encoding": encoding,
        "delimiter": delimiter,
        "sheet": sheet,
        "other_sheets": other_sheets,
        "heading": heading,
        "hidden_columns": hidden_columns,
    }
    return write({"head": head})


def write_error(error: RosterError) -> bytes:
    errors = [[bad.detail, bad.parameter] for bad in error.errors]
    return write({"error": [error.code, error.detail, errors]})


def write_rows(numbers: Sequence[int], rows: Sequence[list[Cell]]) -> bytes:
    """Rows of cells; values without a JSON type are added beside them, by place."""
    special: list[tuple[int, int, int | str]] = []
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            if type(cell) not in _SPECIAL:
                continue
            if isinstance(cell, datetime):
                special.append((place, column, (cell - _EPOCH) // _MILLISECOND))
                row[column] = None
            elif isinstance(cell, Unread):
                special.append((place, column, cell.code))
                row[column] = str(cell)
    return write({"numbers": numbers, "rows": rows, "special": special})


def write_count(rows: int) -> bytes:
    return write({"count": rows})


def write_end(hidden_rows: int = 0) -> bytes:
    return write({"end": {"hidden_rows": hidden_rows}})


def write_documents(numbers: Sequence[int], documents: Sequence[dict[str, Any]]) -> bytes:
    return write({"numbers": numbers, "documents": documents})


def read(body: bytes) -> dict[str, Any]:
    """Read a frame and raise an error in it; UncertainEncodingError if the encoding is not certain."""
    frame: dict[str, Any] = orjson.loads(body)
    if "fits" in frame:
        raise UncertainEncodingError(frame["fits"])
    if "error" in frame:
        code, detail, errors = frame["error"]
        raise _ERRORS[code](detail, errors=tuple(FieldError(what, parameter=name) for what, name in errors))
    return frame


def read_rows(frame: dict[str, Any]) -> list[SourceRow]:
    numbers = frame["numbers"]
    if "documents" in frame:
        documents = frame["documents"]
        return [SourceRow(*row) for row in zip(numbers, [None] * len(numbers), documents, strict=True)]
    rows: list[list[Cell]] = frame["rows"]
    for place, column, what in frame["special"]:
        row = rows[place]
        row[column] = UNREAD[what](row[column]) if isinstance(what, str) else _EPOCH + what * _MILLISECOND
    return [SourceRow(number, row, None) for number, row in zip(numbers, rows, strict=True)]
