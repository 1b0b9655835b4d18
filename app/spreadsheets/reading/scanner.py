"""Handlers of expat that scan a sheet into rows; they are most of the cost of a cell."""

import re
from collections.abc import Callable
from typing import Final

from app.core.errors import UnreadableFileError
from app.spreadsheets.layout import MOST_ROWS, name_column, read_column
from app.spreadsheets.reading import grid, markup
from app.spreadsheets.reading.cell_values import CellValues, read_formula
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.shared_strings import MOST_RAW
from app.spreadsheets.reading.values import Cell, Formula, Hidden, Limits

_MOST_COLUMNS: Final = 16_384
_MOST_DIGITS: Final = len(str(_MOST_COLUMNS))
_DIGITS: Final = "0123456789"
_TRUE: Final = frozenset({"1", "true"})
_NOTHING: Final = frozenset({"0", "0.0"})
_reference = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
_CELL: Final = frozenset(markup.main_names("c"))
_TEXT: Final = frozenset(markup.main_names("t"))
_CONTENT: Final = frozenset(markup.main_names("t", "v"))


class Scanner:
    def __init__(self, part: str, values: CellValues, limits: Limits, hidden: Hidden) -> None:
        self.parser = markup.Parser(part, self._start, self._end, self._characters)
        self.done: list[Record] = []
        """Complete non-blank rows."""
        self._limits = limits
        self._hidden = hidden
        self._most_raw = MOST_RAW * limits.cell_characters
        self._short = limits.cell_characters // 2
        self._values = values
        self._formats = values.formats
        self._columns: dict[str, int] = {}
        self._in_data = self._in_row = self._in_cell = self._is_phonetic = False
        self._is_hidden = False
        self._number = 0
        self._row: list[Cell] = []
        self._size = 0
        """The characters of the row."""
        self._column = -1
        self._attributes: dict[str, str] = {}
        self._text = ""
        self._raw = 0
        """The characters of the cell in the file."""
        self._runs = ""
        self._value = ""
        self._formula: Formula | bool | None = None
        self._shared: str | None = None
        """The number by which other cells share the formula."""
        self._shared_constants: dict[str, bool] = {}
        self._starts = _by_name(
            col=self._learn_columns,
            sheetData=self._open_data,
            row=self._open_row,
            f=self._open_formula,
            rPh=self._open_phonetic,
        )
        self._ends = _by_name(
            sheetData=self._close_data,
            row=self._close_row,
            v=self._close_value,
            f=self._close_formula,
            rPh=self._close_phonetic,
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _CELL:
            if not self._in_row or self._in_cell:
                raise self._misplaced("cell")
            self._in_cell, self._attributes = True, attributes
            self._runs, self._value, self._formula, self._raw = "", "", None, 0
            column: int | None = self._column + 1
            if (reference := attributes.get("r")) is not None:
                column = self._columns.get(reference.rstrip(_DIGITS))
            if column is None or column <= self._column:
                column = self._place_cell(reference, column)
            self._column = column
        elif name in _CONTENT:
            self._text = ""
        elif name in self._starts:
            self._starts[name](attributes)

    def _end(self, name: str) -> None:
        if name in _CELL:
            self._close_cell()
        elif name in _TEXT:
            if self._in_cell and not self._is_phonetic:
                self._runs += unescape(self._text)
        elif name in self._ends:
            self._ends[name]()

    def _characters(self, text: str) -> None:
        if self._in_cell:
            self._text += text
            self._raw += len(text)
            if self._raw > self._most_raw:
                raise grid.long_cell(self._place(), self._limits)

    def _learn_columns(self, attributes: dict[str, str]) -> None:
        first, last = _read_number(attributes.get("min", "")), _read_number(attributes.get("max", ""))
        if first and not self._in_data and not self._hidden.is_read and _is_hidden(attributes, "width"):
            self._hidden.columns.update(range(first - 1, min(last, self._limits.columns)))

    def _open_data(self, _: dict[str, str]) -> None:
        self._in_data = True

    def _close_data(self) -> None:
        self._in_data = False

    def _open_row(self, attributes: dict[str, str]) -> None:
        """Begin the next row, by its own number."""
        if not self._in_data or self._in_row:
            raise self._misplaced("row")
        said = attributes.get("r")
        number = self._number + 1 if said is None else int(said) if said.isdecimal() and said.isascii() else 0
        if not self._number < number <= MOST_ROWS:
            raise UnreadableFileError(
                f"The row {str(said)[:20]} of the workbook stands after row {self._number}: save it again."
            )
        self._in_row, self._number, self._is_hidden = True, number, _is_hidden(attributes, "ht")
        self._row, self._column, self._size = [], -1, 0

    def _close_row(self) -> None:
        self._in_row = False
        if self._row and self._is_hidden and not self._hidden.is_read:
            self._hidden.rows += 1
        elif self._row:
            self.done.append((self._number, self._row))

    def _close_cell(self) -> None:
        self._in_cell = False
        value: Cell = self._runs
        if self._formula is not None:
            value = self._formula
        elif not value and self._value:
            value = self._read_value()
        if isinstance(value, str):
            if not value:
                return
            if self._formats:
                value = self._values.show_text(self._attributes.get("s"), value)
            self._size += len(value)
            if self._size > self._short:
                self._check_size(value)
        row = self._row
        if len(row) < self._column:
            row.extend([None] * (self._column - len(row)))
        row.append(value)

    def _close_value(self) -> None:
        self._value = self._text

    def _close_formula(self) -> None:
        text = self._text
        constant = self._shared_constants.get(self._shared or "") if not text else None
        self._formula = read_formula(text) if constant is None else constant
        if self._shared is not None and isinstance(self._formula, bool):
            self._shared_constants[self._shared] = self._formula

    def _open_formula(self, attributes: dict[str, str]) -> None:
        self._text = ""
        self._shared = attributes.get("si")

    def _open_phonetic(self, _: dict[str, str]) -> None:
        self._is_phonetic = True

    def _close_phonetic(self) -> None:
        self._is_phonetic = False

    def _read_value(self) -> Cell:
        get = self._attributes.get
        try:
            return self._values.read(get("t"), get("s"), self._value)
        except ValueError as error:
            raise UnreadableFileError(f"The cell {self._place()} {error}: save the workbook again.") from None

    def _check_size(self, text: str) -> None:
        if grid.is_too_long(text, self._limits):
            raise grid.long_cell(self._place(), self._limits)
        if self._size > self._limits.row_characters:
            raise UnreadableFileError(
                f"Row {self._number} holds more than {self._limits.row_characters:,} characters."
            )

    def _place_cell(self, reference: str | None, column: int | None) -> int:
        """Parse and cache the column of a cell's letters, and check that it comes after the one before."""
        found = _reference.fullmatch(reference or "")
        if column is None and found is not None:
            column = self._columns[found[1]] = read_column(found[1])
        if column is None or column >= _MOST_COLUMNS:
            raise UnreadableFileError(f"A sheet has no cell {str(reference)[:20]}: save the workbook again.")
        if column <= self._column:
            raise UnreadableFileError(
                f"The cell {name_column(column)}{self._number} occurs twice, or out of order: "
                "save the workbook again."
            )
        return column

    def _place(self) -> str:
        return f"{name_column(max(self._column, 0))}{self._number}"

    def _misplaced(self, what: str) -> UnreadableFileError:
        return UnreadableFileError(
            f"A {what} of the workbook stands where none can, near {self._place()}: save it again."
        )


def _read_number(text: str) -> int:
    """A column's number, from 1; 0 if there is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _MOST_DIGITS else 0


def _is_hidden(attributes: dict[str, str], size: str) -> bool:
    """Whether a row or columns are hidden, by hand or by a filter."""
    return attributes.get("hidden") in _TRUE or attributes.get(size) in _NOTHING


def _by_name(**actions: Callable[..., None]) -> dict[str, Callable[..., None]]:
    return {name: actions[local] for name, local in markup.main_names(*actions).items()}
