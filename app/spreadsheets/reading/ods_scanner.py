"""Scans a sheet of an OpenDocument spreadsheet into rows, with only a block of it and a cell in memory."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.layout import MOST_ROWS, name_column
from app.spreadsheets.reading import grid, markup, ods_text, ods_values
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.ods_values import OFFICE, TABLE
from app.spreadsheets.reading.values import Cell, Covered, Hidden, Limits, Unread

MOST_COPIES: Final = 10_000
"""The most copies of a repeated non-blank row: no two users are the same."""
_MOST_COLUMNS: Final = 16_384
_VISIBILITY: Final = f"{TABLE}visibility"
_UNSEEN: Final = frozenset({"collapse", "filter"})
_GROUPS: Final = tuple(
    f"{TABLE}table-{of}"
    for of in ("row-group", "header-rows", "rows", "column-group", "header-columns", "columns")
)

Attributes = dict[str, str]
Action = Callable[..., None]
"""Reads an element as far as it has come; `is_whole`: that is all."""


class Scanner:
    def __init__(self, part: str, index: int, limits: Limits, hidden: Hidden) -> None:
        self._tree = markup.Tree(part)
        self._tables_before = index
        self._limits = limits
        self._hidden = hidden
        self._done: list[tuple[Record, int]] = []
        """Complete non-blank rows, each with the number of its copies."""
        self._open: Element | None = None
        """The row that is not complete."""
        self._columns = self._number = 0
        self._row: list[Cell] = []
        self._column = self._size = self._copies = 0
        self._row_repeats = 1
        self._set_actions()

    def _set_actions(self) -> None:
        self._cells: dict[str, Action] = {
            f"{TABLE}table-cell": self._read_cell,
            f"{TABLE}covered-table-cell": self._read_cell,
        }
        self._rows: dict[str, Action] = {
            f"{TABLE}table-row": self._read_row,
            f"{TABLE}table-column": self._read_column,
        }
        self._rows |= dict.fromkeys(_GROUPS, partial(self._read_inside, self._rows))
        read: Action = self._read_table
        for name in (
            f"{TABLE}table",
            f"{OFFICE}spreadsheet",
            f"{OFFICE}body",
            f"{OFFICE}document-content",
        ):
            read = partial(self._read_inside, {name: read})
        self._read_document = read

    def read(self, blocks: Iterable[bytes]) -> Iterator[Record]:
        """The non-blank rows, as blocks complete them."""
        for _ in self._tree.grow(blocks):
            self._read_document(self._tree.top, is_whole=False)
            if self._tree.is_stuck:
                raise grid.long_cell(self._place(), self._limits)
            for (number, cells), times in self._done:
                for copy in range(times):
                    yield number + copy, list(cells)
            self._done.clear()

    def _read_inside(self, actions: dict[str, Action], parent: Element, *, is_whole: bool) -> None:
        for child in self._tree.take(parent, is_whole=is_whole):
            if (read := actions.get(child.tag)) is not None:
                read(child, is_whole=True)
        for child in parent:
            if (read := actions.get(child.tag)) is not None:
                read(child, is_whole=False)
            else:
                self._tree.drop(child)

    def _read_table(self, table: Element, *, is_whole: bool) -> None:
        if self._tables_before:
            self._tree.drop(table)
        else:
            self._read_inside(self._rows, table, is_whole=is_whole)
        self._tables_before -= is_whole

    def _read_column(self, column: Element, *, is_whole: bool) -> None:
        if not is_whole:
            return
        first = self._columns
        self._columns += self._count(column.attrib, "number-columns-repeated", _MOST_COLUMNS)
        if column.get(_VISIBILITY) in _UNSEEN and not self._hidden.is_read:
            self._hidden.columns.update(range(first, min(self._columns, self._limits.columns)))

    def _read_row(self, row: Element, *, is_whole: bool) -> None:
        if row is not self._open:
            self._open_row(row.attrib)
        self._read_inside(self._cells, row, is_whole=is_whole)
        self._open = None if is_whole else row
        if is_whole:
            self._close_row(is_hidden=row.get(_VISIBILITY) in _UNSEEN and not self._hidden.is_read)

    def _open_row(self, attributes: Attributes) -> None:
        self._row = []
        self._column = self._size = 0
        self._row_repeats = self._count(attributes, "number-rows-repeated", MOST_ROWS)
        if self._number + self._row_repeats > MOST_ROWS:
            raise UnreadableFileError(f"The sheet has more than {MOST_ROWS:,} rows: save it again.")

    def _close_row(self, *, is_hidden: bool) -> None:
        is_filled = any(cell is not None and type(cell) is not Covered for cell in self._row)
        if is_filled and is_hidden:
            self._hidden.rows += self._row_repeats
        elif is_filled:
            self._copies += self._row_repeats - 1
            if self._copies > MOST_COPIES:
                raise FileTooLargeError(
                    f"Rows from {self._number + 1} on repeat others more than {MOST_COPIES:,} times: "
                    "remove the copies."
                )
            self._done.append(((self._number + 1, self._row), self._row_repeats))
        self._number += self._row_repeats

    def _read_cell(self, cell: Element, *, is_whole: bool) -> None:
        if not is_whole:
            return
        repeats = self._count(cell.attrib, "number-columns-repeated", _MOST_COLUMNS)
        if self._column + repeats > _MOST_COLUMNS:
            raise UnreadableFileError(f"Row {self._number + 1} has more than {_MOST_COLUMNS:,} cells.")
        value = self._read_value(cell, repeats) if cell.tag.endswith("}table-cell") else Covered()
        if value is not None and (value != "" or isinstance(value, Unread)):
            row = self._row
            if len(row) < self._column:
                row.extend([None] * (self._column - len(row)))
            row.extend([value] * repeats)
        self._column += repeats

    def _read_value(self, cell: Element, repeats: int) -> Cell:
        try:
            text = ods_text.read(cell, 2 * self._limits.cell_characters)
            value = ods_values.read(cell.attrib, text) if cell.attrib or text else None
        except ods_text.TooLongError:
            raise grid.long_cell(self._place(), self._limits) from None
        except ValueError as error:
            raise UnreadableFileError(f"The cell {self._place()} {error}: save the file again.") from None
        if isinstance(value, str):
            if grid.is_too_long(value, self._limits):
                raise grid.long_cell(self._place(), self._limits)
            self._size += len(value) * repeats
            if self._size > self._limits.row_characters:
                raise UnreadableFileError(
                    f"Row {self._number + 1} holds more than {self._limits.row_characters:,} characters."
                )
        return value

    def _place(self) -> str:
        return f"{name_column(self._column)}{self._number + 1}"

    @staticmethod
    def _count(attributes: Attributes, name: str, most: int) -> int:
        said = attributes.get(f"{TABLE}{name}", "1")
        count = int(said) if said.isdecimal() and said.isascii() and len(said) < len(str(most)) + 1 else 0
        if not 0 < count <= most:
            raise UnreadableFileError(f"A cell or row is repeated {said[:20]} times: save the file again.")
        return count
