"""The writers of exports, by format."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol

from app.spreadsheets.column import Column
from app.spreadsheets.columns import catalogue
from app.spreadsheets.csv_file import CsvWriter
from app.spreadsheets.layout import Layout
from app.spreadsheets.ndjson import NdjsonWriter
from app.spreadsheets.ods import OdsWriter
from app.spreadsheets.xlsx import XlsxWriter
from models.export import Format, WorkbookFormat

__all__ = ["Writer", "workbook_writer", "writer"]


class Writer(Protocol):
    """
    Writes one file in pieces: `head`, then `rows` for each batch, then `tail`.

    It keeps nothing that it has returned. A writer dropped without `tail` leaves the file incomplete.
    """

    media_type: ClassVar[str]
    extension: ClassVar[str]

    def head(self) -> bytes:
        """The bytes before the first row; may be empty."""
        ...

    def rows(self, rows: Sequence[Any]) -> bytes:
        """
        Stored users as PyMongo decodes them, or rows of cells, a few hundred at a time. May be empty.

        CPU work of milliseconds: call it in a thread, never twice at once.
        """
        ...

    def tail(self) -> bytes:
        """The bytes that complete the file."""
        ...


def writer(format: Format, columns: Sequence[Column] | None = None) -> Writer:  # noqa: A002  # the query's own word
    """The writer of a format; columns of None are all columns, or whole users in NDJSON."""
    match format:
        case "csv":
            return CsvWriter(columns or catalogue())
        case "xlsx" | "ods":
            return _WORKBOOKS[format](Layout.of_columns(columns or catalogue()))
        case "ndjson":
            return NdjsonWriter(columns)


def workbook_writer(format: WorkbookFormat, headings: Sequence[str]) -> Writer:  # noqa: A002  # as above
    """The writer of any table: rows of cells from `app.spreadsheets.reading`."""
    return _WORKBOOKS[format](Layout.of_headings(headings))


_WORKBOOKS: Final[dict[WorkbookFormat, type[XlsxWriter] | type[OdsWriter]]] = {
    "xlsx": XlsxWriter,
    "ods": OdsWriter,
}
