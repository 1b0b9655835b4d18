"""The values of cells of a sheet, by type and style."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from app.spreadsheets.cells import LARGEST_EXACT
from app.spreadsheets.reading.number_formats import NumberFormat
from app.spreadsheets.reading.runs import unescape
from app.spreadsheets.reading.shared_strings import SharedStrings
from app.spreadsheets.reading.values import Cell, ErrorValue, Formula, Unread
from app.spreadsheets.reading.workbook import Workbook

_DAY_MS: Final = 86_400_000
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH_1900: Final = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH_1904: Final = datetime(1904, 1, 1, tzinfo=UTC)
_PHANTOM: Final = 60
"""The serial of 1900-02-29, which Excel counts and no calendar has: earlier ones are a day off."""
_EXACT_DIGITS: Final = 15
LONGEST_NUMBER: Final = 64
_NO_NUMBER: Final = "is said to hold a number, and does not"
_NO_STRING: Final = "names a shared string that is not there"
_CONSTANTS: Final = {"TRUE()": True, "FALSE()": False, "TRUE": True, "FALSE": False}
NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class CellValues:
    def __init__(self, book: Workbook, strings: SharedStrings | None) -> None:
        self._dates = {str(style) for style in book.dates}
        self.formats = {str(style): NumberFormat(code) for style, code in book.formats.items()}
        """Number formats by style, where a cell may be shown differently."""
        self._from_1904 = book.from_1904
        self._strings = strings

    def read(self, kind: str | None, style: str | None, text: str) -> Cell:
        """The value of a cell's `<v>`, by its `t` and `s`, which may be missing or empty; or ValueError."""
        match kind:
            case None | "" | "n":
                return self._read_number(style, text)
            case "s":
                return self._read_shared(text)
            case "b":
                return text.strip() in {"1", "true"}
            case "d":
                return _read_iso(text)
            case "e":
                return ErrorValue(text)
            case _:
                return unescape(text)

    def show_text(self, style: str | None, text: str) -> str:
        """The text as its format shows it."""
        shown = self.formats.get(style or "")
        return text if shown is None or isinstance(text, Unread) else shown.show_text(text)

    def _read_number(self, style: str | None, text: str) -> Cell:
        if style in self.formats:
            return self.formats[style].show_number(self._parse(text))
        if style in self._dates:
            number = self._parse(text)
            moment = read_serial(number, from_1904=self._from_1904)
            return number if moment is None else moment
        if len(text) <= _EXACT_DIGITS and text.isdigit() and text.isascii():
            return int(text)
        return self._parse(text)

    @staticmethod
    def _parse(text: str) -> int | float:
        """A number, without white space around it."""
        return parse_number(text.strip() if len(text) <= LONGEST_NUMBER else text)

    def _read_shared(self, text: str) -> str:
        if self._strings is None or not (text.isascii() and text.isdigit() and len(text) <= _EXACT_DIGITS):
            raise ValueError(_NO_STRING)
        try:
            return self._strings[int(text)]
        except IndexError:
            raise ValueError(_NO_STRING) from None


def parse_number(text: str) -> int | float:
    """The number of a text; ValueError if it is none."""
    if len(text) > LONGEST_NUMBER or not NUMBER.fullmatch(text):
        raise ValueError(_NO_NUMBER)
    number = float(text)
    if math.isinf(number):
        raise ValueError(_NO_NUMBER)
    return int(number) if abs(number) <= LARGEST_EXACT and number.is_integer() else number


def read_formula(text: str) -> Formula | bool:
    """A formula given without its `=`; or a boolean, which LibreOffice writes as `TRUE()`."""
    constant = _CONSTANTS.get(text.strip().upper())
    return Formula(f"={text}") if constant is None else constant


def read_serial(serial: float, *, from_1904: bool = False) -> datetime | None:
    """The time of a serial number, to the millisecond; None if there is none."""
    if serial < 0:
        return None
    if not from_1904 and 1 <= serial < _PHANTOM:
        serial += 1
    try:
        return (_EPOCH_1904 if from_1904 else _EPOCH_1900) + round(serial * _DAY_MS) * _MILLISECOND
    except OverflowError:
        return None


def _read_iso(text: str) -> datetime | str:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return text
