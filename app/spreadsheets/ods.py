"""Writes OpenDocument spreadsheets into a streamed ZIP; all their sheets are one part of it."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, repeat
from typing import Any, ClassVar, Final

from app.core.errors import FileTooLargeError
from app.spreadsheets import cells, ods_cells, ods_parts
from app.spreadsheets.layout import MOST_ROWS, Layout, name_column, name_sheet
from app.spreadsheets.streamed_zip import StreamedZip

MOST_BYTES: Final = 2**31 - 1
"""The most bytes of the part with the rows; beyond, zipfile needs ZIP64 (see `app.spreadsheets.xlsx`)."""

_TAIL_BYTES: Final = 64 * 1024


class OdsWriter:
    media_type: ClassVar[str] = ods_parts.MEDIA_TYPE
    extension: ClassVar[str] = "ods"

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._archive = StreamedZip(stored_first=("mimetype", ods_parts.MEDIA_TYPE.encode()))
        self._rows: list[int] = []
        """The rows of each sheet."""
        self._bytes = 0

    def head(self) -> bytes:
        self._archive.add("META-INF/manifest.xml", ods_parts.MANIFEST)
        self._content = self._archive.open("content.xml", "w")
        self._write(ods_parts.open_content(width for width, _ in self._layout.columns))
        self._open_sheet()
        return self._archive.take()

    def rows(self, rows: Sequence[Any]) -> bytes:
        """FileTooLargeError when the part with the rows is full."""
        while rows:
            if not (room := MOST_ROWS - self._rows[-1]):
                self._write(ods_parts.CLOSE_SHEET)
                self._open_sheet()
                continue
            self._write(_render(self._layout.read(rows[:room]), len(rows[:room])))
            self._rows[-1] += len(rows[:room])
            rows = rows[room:]
        return self._archive.take()

    def tail(self) -> bytes:
        names = [name_sheet(number) for number in range(1, len(self._rows) + 1)]
        letters = name_column(len(self._layout.labels) - 1)
        tables = [(name, f"{letters}{rows}") for name, rows in zip(names, self._rows, strict=True)]
        self._write(ods_parts.CLOSE_SHEET + ods_parts.close_content(tables), room=0)
        self._content.close()
        self._archive.add("settings.xml", ods_parts.settings(names))
        self._archive.close()
        return self._archive.take()

    def _open_sheet(self) -> None:
        self._rows.append(1)
        header = "".join([ods_cells.render_text(label, ods_cells.HEADER) for label in self._layout.labels])
        start = ods_parts.open_sheet(name_sheet(len(self._rows)), self._layout.columns)
        self._write(f"{start}<table:table-row>{header}</table:table-row>")

    def _write(self, text: str, *, room: int = _TAIL_BYTES) -> None:
        xml = text.encode()
        self._bytes += len(xml)
        if self._bytes > MOST_BYTES - room:
            raise FileTooLargeError(
                "These are more users than an OpenDocument spreadsheet can hold: choose xlsx or csv, "
                "or fewer columns."
            )
        self._content.write(xml)


def _render(columns: Sequence[cells.Cells], rows: int) -> str:
    starts, ends = repeat("<table:table-row>", rows), repeat("</table:table-row>", rows)
    return "".join(chain.from_iterable(zip(starts, *_render_columns(columns, rows), ends, strict=True)))


def _render_columns(columns: Sequence[cells.Cells], rows: int) -> Iterator[Sequence[str]]:
    for is_blank, run in groupby(columns, key=lambda batch: batch.kind == "blank"):
        if is_blank:
            yield ods_cells.render_blanks(len(list(run)), rows)
        else:
            yield from map(ods_cells.render, run)
