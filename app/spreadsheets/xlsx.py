"""Writes XLSX into a streamed ZIP, so that the first row can be sent before the last is read."""

import zipfile
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, ClassVar, Final

from app.spreadsheets import xlsx_cells, xlsx_parts
from app.spreadsheets.layout import MOST_ROWS, Layout, name_column, name_sheet
from app.spreadsheets.streamed_zip import StreamedZip

MOST_BYTES: Final = 2**31 - 1
"""
The most bytes of a sheet's XML; beyond, the table goes on in the next sheet.

For more, zipfile needs ZIP64, whose streamed form (sizes in the local header's extra field) Excel repairs or
refuses, even for a small sheet: https://issues.apache.org/jira/browse/COMPRESS-474.
"""

_TAIL_BYTES: Final = 1024


class XlsxWriter:
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    extension: ClassVar[str] = "xlsx"

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._archive = StreamedZip()
        self._sheets: list[_Sheet] = []

    def head(self) -> bytes:
        self._archive.add("[Content_Types].xml", xlsx_parts.CONTENT_TYPES)
        self._archive.add("_rels/.rels", xlsx_parts.RELATIONS)
        self._archive.add("xl/styles.xml", xlsx_parts.STYLES)
        self._open_sheet()
        return self._archive.take()

    def rows(self, rows: Sequence[Any]) -> bytes:
        while rows:
            if not (written := self._sheets[-1].write(rows)):
                self._sheets[-1].close()
                self._open_sheet()
            rows = rows[written:]
        return self._archive.take()

    def tail(self) -> bytes:
        self._sheets[-1].close()
        names = [(sheet.name, sheet.last_cell) for sheet in self._sheets]
        self._archive.add("xl/workbook.xml", xlsx_parts.workbook(names))
        self._archive.add("xl/_rels/workbook.xml.rels", xlsx_parts.workbook_relations(len(names)))
        self._archive.close()
        return self._archive.take()

    def _open_sheet(self) -> None:
        self._sheets.append(_Sheet(self._archive, len(self._sheets) + 1, self._layout))


class _Sheet:
    """One sheet in the making."""

    def __init__(self, archive: zipfile.ZipFile, number: int, layout: Layout) -> None:
        self.name = name_sheet(number)
        self._read = layout.read
        self._letters = [name_column(index) for index in range(len(layout.labels))]
        self._rows = 0
        self._bytes = 0
        self._entry = archive.open(f"xl/worksheets/sheet{number}.xml", "w")
        widths = [(width, xlsx_cells.COLUMN_STYLES[style]) for width, style in layout.columns]
        self._write(xlsx_parts.open_sheet(widths).encode())
        header = _render_header(layout.labels, self._letters)
        self._write(header.encode(), rows=1)

    @property
    def last_cell(self) -> str:
        """The last cell of the table, for its filter, such as `$C$7`."""
        return f"${self._letters[-1]}${self._rows}"

    def write(self, rows: Sequence[Any]) -> int:
        """Write rows; how many fit into the sheet, 0 when it is full."""
        rows = rows[: MOST_ROWS - self._rows]
        xml = self._render(rows).encode()
        if self._bytes + len(xml) > MOST_BYTES - _TAIL_BYTES and self._rows > 1:
            return 0
        self._write(xml, rows=len(rows))
        return len(rows)

    def close(self) -> None:
        self._write(xlsx_parts.close_sheet(self.last_cell.replace("$", "")).encode())
        self._entry.close()

    def _write(self, xml: bytes, *, rows: int = 0) -> None:
        self._entry.write(xml)
        self._bytes += len(xml)
        self._rows += rows

    def _render(self, rows: Sequence[Any]) -> str:
        numbers = [str(number) for number in range(self._rows + 1, self._rows + len(rows) + 1)]
        columns = [
            xlsx_cells.render(letters, numbers, batch)
            for letters, batch in zip(self._letters, self._read(rows), strict=True)
            if batch.kind != "blank"
        ]
        starts = [f'<row r="{number}">' for number in numbers]
        ends = repeat("</row>", len(rows))
        return "".join(chain.from_iterable(zip(starts, *columns, ends, strict=True)))


def _render_header(labels: Sequence[str], letters: Sequence[str]) -> str:
    rendered = (
        xlsx_cells.render_text(column, "1", label, style=xlsx_cells.HEADER_STYLE)
        for column, label in zip(letters, labels, strict=True)
    )
    return f'<row r="1">{"".join(rendered)}</row>'
