"""Rows of a sheet as they are put together, cell by cell, by whichever of the two ways of reading them."""

from collections.abc import Callable, Iterable
from typing import Final

from app.errors import UnreadableFileError
from app.spreadsheets.reading import grid
from app.spreadsheets.reading.cell_values import CellValues
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.values import Cell, Limits
from app.spreadsheets.xlsx import MOST_ROWS, name_column

Found = tuple[str, str, str, str, str]
"""A cell as it stands in the file: column, style, type, value and text, each of which may be empty."""

_MOST_COLUMNS: Final = 16_384


class Rows:
    """The order of the calls: `open`, then for each cell where it is and what it holds, then `close`."""

    def __init__(self, values: CellValues, limits: Limits) -> None:
        self.done: list[Record] = []
        """Those that are whole, and hold a cell that is not blank."""
        self.limits = limits
        self._read = values.read
        self._columns: dict[str, int] = {}
        self._number = 0
        self._row: list[Cell] = []
        self._column = -1
        self._size = 0

    def open(self, said: str | None) -> None:
        """The next row, by the number that it says of itself."""
        number = self._number + 1 if said is None else int(said) if said.isdecimal() and said.isascii() else 0
        if not self._number < number <= MOST_ROWS:
            raise UnreadableFileError(
                f"The row {str(said)[:20]} of the workbook stands after row {self._number}: save it again."
            )
        self._number = number
        self._row = []
        self._column = -1
        self._size = 0

    def close(self) -> None:
        if self._row:
            self.done.append((self._number, self._row))

    def add_short(self, cells: Iterable[Found], resolve: Callable[[str], str] | None) -> None:
        """
        All cells of a row, none of whose texts can be too long.

        `resolve` reads entities, if there may be any, or escapes. Most rows spend their time in this loop.
        """
        columns, row = self._columns, self._row
        for letters, style, kind, value, text in cells:
            column = columns[letters] if letters in columns else self._learn(letters)
            if column <= self._column:
                raise self._misplaced(letters)
            self._column = column
            if text:
                if len(row) < column:
                    row.extend([None] * (column - len(row)))
                row.append(text if resolve is None else unescape(resolve(text)))
            elif value:
                self.add_value(kind, style, value if resolve is None else resolve(value))

    def go_to(self, letters: str) -> None:
        """The next cell, by the letters of its column."""
        column = self._columns[letters] if letters in self._columns else self._learn(letters)
        if column <= self._column:
            raise self._misplaced(letters)
        self._column = column

    def go_on(self) -> None:
        """The next cell, which says nothing of its place."""
        self._column += 1

    def add_value(self, kind: str | None, style: str | None, text: str) -> None:
        """What stands in the `<v>` of the cell."""
        try:
            value = self._read(kind, style, text)
        except ValueError as error:
            raise UnreadableFileError(f"The cell {self.place()} {error}: save the workbook again.") from None
        if isinstance(value, str):
            self.add_text(value)
        else:
            self._add(value)

    def add_text(self, text: str) -> None:
        if not text:
            return
        self._size += len(text)
        if grid.is_too_long(text, self.limits):
            raise self.long_cell()
        if self._size > self.limits.row_characters:
            raise UnreadableFileError(
                f"Row {self._number} holds more than {self.limits.row_characters:,} characters."
            )
        self._add(text)

    def place(self) -> str:
        return f"{name_column(max(self._column, 0))}{self._number}"

    def long_cell(self) -> UnreadableFileError:
        return grid.long_cell(self.place(), self.limits)

    def _misplaced(self, letters: str) -> UnreadableFileError:
        return UnreadableFileError(
            f"The cell {letters}{self._number} stands twice, or out of order: save the workbook again."
        )

    def _add(self, value: Cell) -> None:
        row = self._row
        if len(row) < self._column:
            row.extend([None] * (self._column - len(row)))
        row.append(value)

    def _learn(self, letters: str) -> int:
        column = 0
        for letter in letters:
            column = 26 * column + ord(letter) - ord("A") + 1
        if not 0 < column <= _MOST_COLUMNS:
            raise no_cell(letters)
        self._columns[letters] = column - 1
        return column - 1


def no_cell(reference: str) -> UnreadableFileError:
    return UnreadableFileError(f"A sheet has no cell {reference[:20]}: save the workbook again.")
