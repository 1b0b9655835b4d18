"""One sheet's rows, read as a stream: nothing of it is held but the row at hand."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.errors import UnreadableFileError
from app.spreadsheets.reading import grid, markup
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.shared_strings import MOST_RAW, SharedStrings
from app.spreadsheets.reading.values import Cell, Formula, Limits
from app.spreadsheets.reading.workbook import Sheet, Workbook
from app.spreadsheets.xlsx import name_column

_DAY_MS: Final = 86_400_000
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH_1900: Final = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH_1904: Final = datetime(1904, 1, 1, tzinfo=UTC)
_PHANTOM: Final = 60
"""The serial of 1900-02-29, which Excel counts and no calendar has: earlier ones are a day off."""
_LAST_SERIAL: Final = 2_958_466
"""Of 10000-01-01, which is beyond."""
_LARGEST_EXACT: Final = 2**53
_MOST_ROWS: Final = 1_048_576
_MOST_COLUMNS: Final = 16_384
_LONGEST_NUMBER: Final = 64
_EXACT_DIGITS: Final = 15
_number = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_reference = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def read(
    archive: Archive, book: Workbook, sheet: Sheet, strings: SharedStrings | None, limits: Limits
) -> Iterator[Record]:
    scanner = _Scanner(book, strings, limits)
    made = markup.parser(sheet.part)
    made.StartElementHandler = scanner.start
    made.EndElementHandler = scanner.end
    made.CharacterDataHandler = scanner.characters
    for _ in markup.feed(made, sheet.part, archive.stream(sheet.part)):
        if scanner.done:
            yield from scanner.done
            scanner.done.clear()


def read_serial(serial: float, *, from_1904: bool = False) -> datetime | None:
    """The moment that a number is as a date, to the millisecond; None if it is none."""
    if not 0 <= serial < _LAST_SERIAL:
        return None
    if not from_1904 and 1 <= serial < _PHANTOM:
        serial += 1
    return (_EPOCH_1904 if from_1904 else _EPOCH_1900) + round(serial * _DAY_MS) * _MILLISECOND


class _Scanner:
    """What expat calls. Its few lines for each tag are most of what reading a workbook costs."""

    def __init__(self, book: Workbook, strings: SharedStrings | None, limits: Limits) -> None:
        self.done: list[Record] = []
        self._dates = book.dates
        self._from_1904 = book.from_1904
        self._strings = strings
        self._limits = limits
        self._most_raw = MOST_RAW * limits.cell_characters
        self._starts = _by_name(
            sheetData=self._open_data, row=self._open_row, c=self._open_cell, t=self._open_text,
            v=self._open_text, f=self._open_text, rPh=self._open_phonetic,
        )  # fmt: skip
        self._ends = _by_name(
            sheetData=self._close_data, row=self._close_row, c=self._close_cell, t=self._close_text,
            v=self._close_value, f=self._close_formula, rPh=self._close_phonetic,
        )  # fmt: skip
        self._columns: dict[str, int] = {}
        self._in_data = False
        self._in_cell = False
        self._is_phonetic = False
        self._number = 0
        self._row: list[Cell] = []
        self._column = -1
        self._style: str | None = None
        self._type: str | None = None
        self._pieces: list[str] = []
        self._size = 0
        self._row_size = 0
        self._text: str | None = None
        self._value: str | None = None
        self._formula: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if (begin := self._starts.get(name)) is not None:
            begin(attributes)

    def end(self, name: str) -> None:
        if (finish := self._ends.get(name)) is not None:
            finish()

    def characters(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)
        if self._size > self._most_raw and self._in_cell:
            raise self._long_cell()

    def _open_data(self, _: dict[str, str]) -> None:
        self._in_data = True

    def _close_data(self) -> None:
        self._in_data = False

    def _open_row(self, attributes: dict[str, str]) -> None:
        if not self._in_data:
            return
        said = attributes.get("r")
        number = self._number + 1 if said is None else int(said) if said.isdecimal() and said.isascii() else 0
        if not self._number < number <= _MOST_ROWS:
            raise UnreadableFileError(
                f"The row {str(said)[:20]} of the workbook stands after row {self._number}: save it again."
            )
        self._number = number
        self._row = []
        self._column = -1
        self._row_size = 0

    def _close_row(self) -> None:
        if self._row:
            self.done.append((self._number, self._row))
            self._row = []

    def _open_cell(self, attributes: dict[str, str]) -> None:
        if not self._in_data:
            return
        get = attributes.get
        self._in_cell = True
        self._style = get("s")
        self._type = get("t")
        self._text = self._value = self._formula = None
        self._size = 0
        reference = get("r")
        column = self._column + 1 if reference is None else self._find_column(reference)
        if column <= self._column:
            raise UnreadableFileError(
                f"The cell {str(reference)[:20]} stands twice, or out of order: save it again."
            )
        self._column = column

    def _find_column(self, reference: str) -> int:
        """The index that the letters of `B17` say; what is not of that form is refused."""
        letters = reference.rstrip("0123456789")
        if (column := self._columns.get(letters)) is None:
            column = _read_letters(letters) if _reference.fullmatch(reference) else _MOST_COLUMNS
            if column >= _MOST_COLUMNS:
                raise UnreadableFileError(
                    f"There is no cell {reference[:20]} in a sheet: save the workbook again."
                )
            self._columns[letters] = column
        return column

    def _open_text(self, _: dict[str, str]) -> None:
        self._pieces = []

    def _close_text(self) -> None:
        if self._in_cell and not self._is_phonetic:
            run = unescape("".join(self._pieces))
            self._text = run if self._text is None else self._text + run

    def _close_value(self) -> None:
        self._value = "".join(self._pieces)

    def _close_formula(self) -> None:
        self._formula = "".join(self._pieces)

    def _open_phonetic(self, _: dict[str, str]) -> None:
        self._is_phonetic = True

    def _close_phonetic(self) -> None:
        self._is_phonetic = False

    def _close_cell(self) -> None:
        if not self._in_cell:
            return
        self._in_cell = False
        if self._formula is not None:
            value: Cell = Formula(f"={self._formula}")
        elif self._text is not None:
            value = self._text
        elif self._value:
            value = self._read_value(self._value)
        else:
            return
        if value is None or value == "":
            return
        if isinstance(value, str):
            self._count(value)
        row = self._row
        if len(row) < self._column:
            row.extend([None] * (self._column - len(row)))
        row.append(value)

    def _read_value(self, text: str) -> Cell:
        match self._type:
            case None | "n":
                return self._read_number(text)
            case "s":
                return self._read_shared(text)
            case "b":
                return text.strip() in {"1", "true"}
            case "d":
                return self._read_iso(text)
            case "e":
                return text
            case _:
                return unescape(text)

    def _read_number(self, text: str) -> int | float | datetime | None:
        if text.isdigit() and text.isascii() and len(text) <= _EXACT_DIGITS and not self._is_date():
            return int(text)
        if len(text) > _LONGEST_NUMBER or not _number.fullmatch(text.strip()):
            raise UnreadableFileError(
                f"The cell {self._place()} holds no number where it says so: save it again."
            )
        number = float(text)
        if self._is_date() and (moment := read_serial(number, from_1904=self._from_1904)) is not None:
            return moment
        return int(number) if number.is_integer() and abs(number) <= _LARGEST_EXACT else number

    def _is_date(self) -> bool:
        style = self._style
        return style is not None and style.isdecimal() and int(style) in self._dates

    def _read_shared(self, text: str) -> str:
        strings = self._strings
        if strings is None or not (text.isascii() and text.isdigit()) or int(text) >= len(strings):
            raise UnreadableFileError(
                f"The cell {self._place()} names a shared string that is not there: save it again."
            )
        return strings[int(text)]

    def _read_iso(self, text: str) -> datetime | str:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def _count(self, text: str) -> None:
        self._row_size += len(text)
        if grid.is_too_long(text, self._limits):
            raise self._long_cell()
        if self._row_size > self._limits.row_characters:
            raise UnreadableFileError(
                f"Row {self._number} holds more than {self._limits.row_characters:,} characters."
            )

    def _place(self) -> str:
        return f"{name_column(self._column)}{self._number}"

    def _long_cell(self) -> UnreadableFileError:
        return grid.long_cell(self._place(), self._limits)


def _read_letters(letters: str) -> int:
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - ord("A") + 1
    return index - 1


def _by_name(**actions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    return {name: actions[local] for name, local in markup.main_names(*actions).items()}
