"""The formatting of an export: which writer makes which kind of file."""

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
    A file in pieces: `head`, then `rows` for each batch, then `tail`. One writer writes one file.

    It keeps nothing of what it has returned. Dropping it without `tail` is how a file is broken off.
    """

    media_type: ClassVar[str]
    extension: ClassVar[str]

    def head(self) -> bytes:
        """What can be sent before the first row is known; may be empty."""
        ...

    def rows(self, rows: Sequence[Any]) -> bytes:
        """
        Stored users as PyMongo decodes them, or rows of cells, a few hundred at a time. May be empty.

        CPU work of milliseconds: call it in a thread, never twice at once.
        """
        ...

    def tail(self) -> bytes:
        """What makes the file whole."""
        ...


def writer(format: Format, columns: Sequence[Column] | None = None) -> Writer:  # noqa: A002  # the query's own word
    """None for the columns is all of them; for NDJSON it is the whole users, as the API answers them."""
    match format:
        case "csv":
            return CsvWriter(columns or catalogue())
        case "xlsx" | "ods":
            return _WORKBOOKS[format](Layout.of_columns(columns or catalogue()))
        case "ndjson":
            return NdjsonWriter(columns)


def workbook_writer(format: WorkbookFormat, headings: Sequence[str]) -> Writer:  # noqa: A002  # as above
    """Of any table: rows of cells as `app.spreadsheets.reading` gives them."""
    return _WORKBOOKS[format](Layout.of_headings(headings))


_WORKBOOKS: Final[dict[WorkbookFormat, type[XlsxWriter] | type[OdsWriter]]] = {
    "xlsx": XlsxWriter,
    "ods": OdsWriter,
}
