"""One sheet's rows, read as a stream: nothing of it is held but the rows at hand."""

from collections.abc import Iterator

from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.cell_values import CellValues
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.scanner import Scanner
from app.spreadsheets.reading.shared_strings import SharedStrings
from app.spreadsheets.reading.values import Limits
from app.spreadsheets.reading.workbook import Sheet, Workbook


def read(
    archive: Archive, book: Workbook, sheet: Sheet, strings: SharedStrings | None, limits: Limits
) -> Iterator[Record]:
    scanner = Scanner(sheet.part, CellValues(book, strings), limits)
    for block in archive.stream(sheet.part):
        scanner.parser.feed(block)
        yield from scanner.done
        scanner.done.clear()
    scanner.parser.close()
    yield from scanner.done
