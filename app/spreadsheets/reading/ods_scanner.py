"""Handlers of expat that scan one sheet of an OpenDocument spreadsheet into rows.

Elements without meaning for a table are skipped: comments, pictures, tables within cells, changes.
"""

from collections.abc import Callable
from typing import Final

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.layout import MOST_ROWS, name_column
from app.spreadsheets.reading import grid, markup, ods_values
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.ods_values import OFFICE, TABLE, TEXT
from app.spreadsheets.reading.values import Cell, Covered, Hidden, Limits, Unread

MOST_COPIES: Final = 10_000
"""The most copies of a repeated non-blank row: no two users are the same."""
_MOST_COLUMNS: Final = 16_384
_VISIBILITY: Final = f"{TABLE} visibility"
_UNSEEN: Final = frozenset({"collapse", "filter"})
_INLINE: Final = (
    "span",
    "a",
    "meta",
    "ruby",
    "ruby-base",
    "date",
    "time",
    "sheet-name",
    "title",
    "file-name",
)

Attributes = dict[str, str]
Context = dict[str, Callable[[Attributes], None]]


class Scanner:
    def __init__(self, part: str, index: int, limits: Limits, hidden: Hidden) -> None:
        self.parser = markup.Parser(part, self._start, self._end, self._characters)
        self.done: list[tuple[Record, int]] = []
        """Complete non-blank rows, each with the number of its copies."""
        self.is_over = False
        self._limits = limits
        self._hidden = hidden
        self._columns = 0
        self._tables_before = index
        self._skipped = 0
        self._stack: list[Context] = []
        self._number = 0
        self._row: list[Cell] = []
        self._is_hidden = False
        self._column = self._size = self._copies = 0
        self._row_repeats = self._repeats = 1
        self._attributes: Attributes = {}
        self._pieces: list[str] = []
        self._raw = 0
        self._paragraphs = self._first = 0
        self._in_paragraph = False
        self._set_contexts()

    def _set_contexts(self) -> None:
        nothing: Context = {}
        text: Context = {
            f"{TEXT} s": self._add_spaces,
            f"{TEXT} tab": lambda _: self._enter_text("\t", nothing),
            f"{TEXT} line-break": lambda _: self._enter_text("\n", nothing),
        }
        text |= {f"{TEXT} {name}": lambda _: self._enter(text) for name in _INLINE}
        self._text = text
        self._cell: Context = {f"{TEXT} p": self._open_paragraph}
        self._cells: Context = {
            f"{TABLE} table-cell": self._open_cell,
            f"{TABLE} covered-table-cell": self._open_cell,
        }
        rows: Context = {f"{TABLE} table-row": self._open_row}
        groups = tuple(f"table-{of}" for of in (
            "row-group", "header-rows", "rows", "column-group", "header-columns", "columns"
        ))  # fmt: skip
        rows |= {f"{TABLE} {name}": lambda _: self._enter(rows) for name in groups}
        rows |= {f"{TABLE} table-column": self._open_column}
        self._rows = rows
        spreadsheet: Context = {f"{TABLE} table": self._open_table}
        body: Context = {f"{OFFICE} spreadsheet": lambda _: self._enter(spreadsheet)}
        document: Context = {f"{OFFICE} body": lambda _: self._enter(body)}
        self._context: Context = {f"{OFFICE} document-content": lambda _: self._enter(document)}
        self._ends = {
            f"{TABLE} table-cell": self._close_cell,
            f"{TABLE} covered-table-cell": self._close_covered,
            f"{TABLE} table-row": self._close_row,
            f"{TABLE} table": self._close_table,
            f"{TEXT} p": self._close_paragraph,
        }

    def _start(self, name: str, attributes: Attributes) -> None:
        if self._skipped or (begin := self._context.get(name)) is None:
            self._skipped += 1
        else:
            begin(attributes)

    def _end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        if (finish := self._ends.get(name)) is not None:
            finish()
        self._context = self._stack.pop()

    def _enter(self, context: Context) -> None:
        self._stack.append(self._context)
        self._context = context

    def _open_table(self, _: Attributes) -> None:
        if self._tables_before or self.is_over:
            self._tables_before -= 1
            self._skipped += 1
        else:
            self._enter(self._rows)

    def _close_table(self) -> None:
        self.is_over = True

    def _open_column(self, attributes: Attributes) -> None:
        self._enter({})
        first = self._columns
        self._columns += self._count(attributes, "number-columns-repeated", _MOST_COLUMNS)
        if attributes.get(_VISIBILITY) in _UNSEEN and not self._hidden.is_read:
            self._hidden.columns.update(range(first, min(self._columns, self._limits.columns)))

    def _open_row(self, attributes: Attributes) -> None:
        self._enter(self._cells)
        self._row = []
        self._is_hidden = attributes.get(_VISIBILITY) in _UNSEEN and not self._hidden.is_read
        self._column = self._size = 0
        self._row_repeats = self._count(attributes, "number-rows-repeated", MOST_ROWS)
        if self._number + self._row_repeats > MOST_ROWS:
            raise UnreadableFileError(f"The sheet has more than {MOST_ROWS:,} rows: save it again.")

    def _close_row(self) -> None:
        is_filled = any(cell is not None and type(cell) is not Covered for cell in self._row)
        if is_filled and self._is_hidden:
            self._hidden.rows += self._row_repeats
        elif is_filled:
            self._copies += self._row_repeats - 1
            if self._copies > MOST_COPIES:
                raise FileTooLargeError(
                    f"Rows from {self._number + 1} on repeat others more than {MOST_COPIES:,} times: "
                    "remove the copies."
                )
            self.done.append(((self._number + 1, self._row), self._row_repeats))
        self._number += self._row_repeats

    def _open_cell(self, attributes: Attributes) -> None:
        self._enter(self._cell)
        self._attributes = attributes
        self._pieces = []
        self._raw = self._paragraphs = 0
        self._repeats = self._count(attributes, "number-columns-repeated", _MOST_COLUMNS)
        if self._column + self._repeats > _MOST_COLUMNS:
            raise UnreadableFileError(f"Row {self._number + 1} has more than {_MOST_COLUMNS:,} cells.")

    def _close_cell(self) -> None:
        self._put(self._read() if self._attributes or self._pieces else None)

    def _close_covered(self) -> None:
        self._put(Covered())

    def _put(self, value: Cell) -> None:
        if value is not None and (value != "" or isinstance(value, Unread)):
            row = self._row
            if len(row) < self._column:
                row.extend([None] * (self._column - len(row)))
            row.extend([value] * self._repeats)
        self._column += self._repeats

    def _read(self) -> Cell:
        try:
            value = ods_values.read(self._attributes, "".join(self._pieces))
        except ValueError as error:
            raise UnreadableFileError(f"The cell {self._place()} {error}: save the file again.") from None
        if isinstance(value, str):
            if grid.is_too_long(value, self._limits):
                raise grid.long_cell(self._place(), self._limits)
            self._size += len(value) * self._repeats
            if self._size > self._limits.row_characters:
                raise UnreadableFileError(
                    f"Row {self._number + 1} holds more than {self._limits.row_characters:,} characters."
                )
        return value

    def _open_paragraph(self, _: Attributes) -> None:
        self._enter(self._text)
        if self._paragraphs:
            self._pieces.append("\n")
        self._paragraphs += 1
        self._in_paragraph = True
        self._first = len(self._pieces)

    def _close_paragraph(self) -> None:
        self._in_paragraph = False

    def _add_spaces(self, attributes: Attributes) -> None:
        said = attributes.get(f"{TEXT} c", "1")
        spaces = int(said) if said.isdecimal() and len(said) < len(str(_MOST_COLUMNS)) + 1 else 1
        self._enter_text(" " * spaces, {})

    def _enter_text(self, text: str, context: Context) -> None:
        self._enter(context)
        self._add(text)

    def _characters(self, text: str) -> None:
        if not self._in_paragraph or self._skipped:
            return
        # White space collapses (OpenDocument 1.3, part 3, 6.1.2), except a return.
        if "\n" in text or "\t" in text or "  " in text or text[0] == " ":
            text = _collapse(text, is_first=len(self._pieces) == self._first)
        self._add(text)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._raw += len(text)
        if self._raw > 2 * self._limits.cell_characters:
            raise grid.long_cell(self._place(), self._limits)

    def _place(self) -> str:
        return f"{name_column(self._column)}{self._number + 1}"

    @staticmethod
    def _count(attributes: Attributes, name: str, most: int) -> int:
        said = attributes.get(f"{TABLE} {name}", "1")
        count = int(said) if said.isdecimal() and said.isascii() and len(said) < len(str(most)) + 1 else 0
        if not 0 < count <= most:
            raise UnreadableFileError(f"A cell or row is repeated {said[:20]} times: save the file again.")
        return count


def _collapse(text: str, *, is_first: bool) -> str:
    words = [word for word in text.replace("\n", " ").replace("\t", " ").split(" ") if word]
    first = " " if text[0] in " \n\t" and not is_first else ""
    last = " " if words and text[-1] in " \n\t" else ""
    return f"{first}{' '.join(words)}{last}"
