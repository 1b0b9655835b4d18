"""CSV: RFC 4180, UTF-8 with the byte order mark that Excel needs, with formulas guarded."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from app.spreadsheets import cells, formulas
from app.spreadsheets.column import Column

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BOOLEANS: Final = {True: "TRUE", False: "FALSE", None: None}


class CsvWriter:
    media_type: ClassVar[str] = "text/csv; charset=utf-8; header=present"
    extension: ClassVar[str] = "csv"

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def head(self) -> bytes:
        return _BYTE_ORDER_MARK + _encode([[formulas.guard(column.label) for column in self._columns]])

    def rows(self, rows: Sequence[dict[str, Any]]) -> bytes:
        columns = [_RENDERERS[kind](values) for kind, values in cells.read(self._columns, rows)]
        return _encode(zip(*columns, strict=True))

    def tail(self) -> bytes:
        return b""


def table(labels: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """A small file, whole: texts are guarded, None is an empty cell."""
    return _BYTE_ORDER_MARK + _encode([labels, *(map(_render_one, row) for row in rows)])


def _encode(records: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(records)
    return text.getvalue().encode("utf-8", "replace")  # a lone surrogate must not end an export


def _render_text(values: Sequence[str | None]) -> Sequence[str | None]:
    first, guard = formulas.FIRST, formulas.guard
    return [guard(text) if text and text[0] in first else text for text in values]


def _render_booleans(values: Sequence[bool | None]) -> Sequence[str | None]:
    return [_BOOLEANS[value] for value in values]


def _render_mixed(values: Sequence[Any]) -> Sequence[Any]:
    return [_render_one(value) for value in values]


def _render_one(value: Any) -> Any:
    match value:
        case str():
            return formulas.guard(value)
        case bool():
            return _BOOLEANS[value]
        case datetime():
            return cells.write_datetimes([value])[0]
        case _:
            return value


def _keep(values: Sequence[Any]) -> Sequence[Any]:
    return values


_RENDERERS: Final[dict[cells.Uniform, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    "blank": _keep,
    "text": _render_text,
    "integer": _keep,
    "boolean": _render_booleans,
    "datetime": cells.write_datetimes,
    "mixed": _render_mixed,
}
