"""Scans a sheet into rows, with only a block of it and one cell in memory."""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from xml.etree.ElementTree import Element

from app.core.errors import UnreadableFileError
from app.spreadsheets.layout import MOST_ROWS, name_column, read_column
from app.spreadsheets.reading import grid, markup, runs
from app.spreadsheets.reading.cell_values import CellValues, read_formula
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.values import Cell, Formula, Hidden, Limits

_MOST_COLUMNS: Final = 16_384
_MOST_DIGITS: Final = len(str(_MOST_COLUMNS))
_DIGITS: Final = "0123456789"
_TRUE: Final = frozenset({"1", "true"})
_NOTHING: Final = frozenset({"0", "0.0"})
_reference = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
_COLUMNS: Final = markup.main_tags("cols")
_DATA: Final = markup.main_tags("sheetData")
_ROW: Final = markup.main_tags("row")
_CELL: Final = markup.main_tags("c")
_NAMES: Final = dict.fromkeys(_ROW, "row") | dict.fromkeys(_CELL, "cell")
_VALUE: Final = markup.main_tags("v")
_TEXT: Final = markup.main_tags("t")
_FORMULA: Final = markup.main_tags("f")


class Scanner:
    def __init__(self, part: str, values: CellValues, limits: Limits, hidden: Hidden) -> None:
        self._tree = markup.Tree(part)
        self._limits = limits
        self._hidden = hidden
        self._short = limits.cell_characters // 2
        self._values = values
        self._formats = values.formats
        self._columns: dict[str, int] = {}
        self._done: list[Record] = []
        self._open: Element | None = None
        """The row that is not complete."""
        self._number = 0
        self._row: list[Cell] = []
        self._size = 0
        """The characters of the row."""
        self._column = -1
        self._shared_constants: dict[str, bool] = {}

    def read(self, blocks: Iterable[bytes]) -> Iterator[Record]:
        """The non-blank rows, as blocks complete them."""
        for _ in self._tree.grow(blocks):
            for sheet in self._tree.top:
                for element in self._tree.take(sheet):
                    self._read_element(element, is_whole=True)
                for element in sheet:
                    self._read_element(element, is_whole=False)
            if self._tree.is_stuck:
                raise self._too_long()
            yield from self._done
            self._done.clear()

    def _read_element(self, element: Element, *, is_whole: bool) -> None:
        if element.tag in _DATA:
            for row in self._tree.take(element, is_whole=is_whole):
                self._read_row(row, is_whole=True)
            for row in element:
                self._read_row(row, is_whole=False)
        elif element.tag in _COLUMNS:
            for columns in self._tree.take(element, is_whole=is_whole):
                self._learn_columns(columns.attrib)
        else:
            self._drop(element)

    def _drop(self, element: Element) -> None:
        """Pass over what stands beside rows or cells."""
        self._check(element)
        self._tree.drop(element)

    def _check(self, element: Element) -> None:
        if element.tag in _NAMES:
            raise UnreadableFileError(
                f"A {_NAMES[element.tag]} of the workbook stands where none can, near {self._place()}: "
                "save it again."
            )

    def _learn_columns(self, attributes: dict[str, str]) -> None:
        first, last = _read_number(attributes.get("min", "")), _read_number(attributes.get("max", ""))
        if first and not self._number and not self._hidden.is_read and _is_hidden(attributes, "width"):
            self._hidden.columns.update(range(first - 1, min(last, self._limits.columns)))

    def _read_row(self, row: Element, *, is_whole: bool) -> None:
        if row.tag not in _ROW:
            self._drop(row)
            return
        if row is not self._open:
            self._open_row(row.attrib)
        self._read_cells(self._tree.take(row, is_whole=is_whole))
        self._open = None if is_whole else row
        if is_whole and self._row:
            self._close_row(row.attrib)

    def _open_row(self, attributes: dict[str, str]) -> None:
        """Begin the next row, by its own number."""
        said = attributes.get("r")
        number = self._number + 1 if said is None else int(said) if said.isdecimal() and said.isascii() else 0
        if not self._number < number <= MOST_ROWS:
            raise UnreadableFileError(
                f"The row {str(said)[:20]} of the workbook stands after row {self._number}: save it again."
            )
        self._number = number
        self._row, self._column, self._size = [], -1, 0

    def _close_row(self, attributes: dict[str, str]) -> None:
        if not self._hidden.is_read and _is_hidden(attributes, "ht"):
            self._hidden.rows += 1
        else:
            self._done.append((self._number, self._row))

    def _read_cells(self, cells: list[Element]) -> None:
        columns, row = self._columns, self._row
        for cell in cells:
            if cell.tag not in _CELL:
                self._drop(cell)
                continue
            column = columns.get(cell.get("r", "").rstrip(_DIGITS))
            if column is None or column <= self._column:
                column = self._place_cell(cell.get("r"), column)
            self._column = column
            if (value := self._read_cell(cell)) is not None:
                if len(row) < column:
                    row.extend([None] * (column - len(row)))
                row.append(value)

    def _read_cell(self, cell: Element) -> Cell:
        value: Cell
        if len(cell) == 1 and len(part := cell[0]) == 1 and (run := part[0]).tag in _TEXT and not len(run):
            value = runs.unescape(text) if "_x" in (text := run.text or "") else text
        else:
            value = self._read_parts(cell)
            if not isinstance(value, str):
                return value
        if self._formats:
            value = self._values.show_text(cell.get("s"), value)
        self._size += len(value)
        if self._size > self._short:
            self._check_size(value)
        return value or None

    def _read_parts(self, cell: Element) -> Cell:
        text, value, formula = "", "", None
        for part in cell:
            if part.tag in _VALUE:
                value = part.text or ""
            elif part.tag in _FORMULA:
                formula = self._read_formula(part)
            else:
                self._check(part)
                text += runs.read(part)
        return formula if formula is not None else text or self._read_value(cell, value)

    def _read_formula(self, formula: Element) -> Formula | bool:
        text, number = formula.text or "", formula.get("si")
        constant = None if text else self._shared_constants.get(number or "")
        value = read_formula(text) if constant is None else constant
        if number is not None and isinstance(value, bool):
            self._shared_constants[number] = value
        return value

    def _read_value(self, cell: Element, text: str) -> Cell:
        if not text:
            return None
        try:
            return self._values.read(cell.get("t"), cell.get("s"), text)
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
        if reference is None:
            return self._column + 1
        found = _reference.fullmatch(reference)
        if column is None and found is not None:
            column = self._columns[found[1]] = read_column(found[1])
        if column is None or column >= _MOST_COLUMNS:
            raise UnreadableFileError(f"A sheet has no cell {reference[:20]}: save the workbook again.")
        if column <= self._column:
            raise UnreadableFileError(
                f"The cell {name_column(column)}{self._number} occurs twice, or out of order: "
                "save the workbook again."
            )
        return column

    def _place(self) -> str:
        return f"{name_column(max(self._column, 0))}{self._number}"

    def _too_long(self) -> UnreadableFileError:
        cell = self._open[0].get("r", "")[:20] if self._open is not None and len(self._open) else ""
        return UnreadableFileError(
            f"The cell {cell or self._place()} holds more than {self._limits.cell_characters:,} characters, "
            f"or a tag or a comment of over {markup.LONGEST_ELEMENT:,} bytes follows it."
        )


def _read_number(text: str) -> int:
    """A column's number, from 1; 0 if there is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _MOST_DIGITS else 0


def _is_hidden(attributes: dict[str, str], size: str) -> bool:
    """Whether a row or columns are hidden, by hand or by a filter."""
    return attributes.get("hidden") in _TRUE or attributes.get(size) in _NOTHING
