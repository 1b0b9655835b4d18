"""Reads one sheet's rows as a stream, with only its merges and the current rows in memory."""

from collections.abc import Iterator

from app.spreadsheets.reading import merges
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.cell_values import CellValues
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.scanner import Scanner
from app.spreadsheets.reading.shared_strings import SharedStrings
from app.spreadsheets.reading.values import Hidden, Limits
from app.spreadsheets.reading.workbook import Sheet, Workbook


class SheetReader:
    """Reads the sheets of one workbook."""

    def __init__(
        self,
        archive: Archive,
        book: Workbook,
        strings: SharedStrings | None,
        limits: Limits,
        *,
        splits_merges: bool,
    ) -> None:
        """`splits_merges`: covered cells are Covered, for which each sheet is scanned first."""
        self._archive = archive
        self._values = CellValues(book, strings)
        self._limits = limits
        self._splits_merges = splits_merges

    def read(self, sheet: Sheet, hidden: Hidden) -> Iterator[Record]:
        rows = self._read_rows(sheet, hidden)
        if self._splits_merges and merges.has_merges(self._archive.stream(sheet.part, is_again=True)):
            found = merges.read(sheet.part, self._archive.stream(sheet.part, is_again=True))
            rows = merges.cover(rows, found, self._limits)
        yield from rows

    def _read_rows(self, sheet: Sheet, hidden: Hidden) -> Iterator[Record]:
        scanner = Scanner(sheet.part, self._values, self._limits, hidden)
        return scanner.read(self._archive.stream(sheet.part))
