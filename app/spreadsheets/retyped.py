"""Whether a cell holds what a spreadsheet program makes of a text that it only opened and saved.

Programs take texts for numbers, dates and booleans, keep the apostrophe of our CSV, write line breaks another
way, leave `_x000D_` as it stands in a workbook, and blank what they take for nothing. Each form here is one
that some program writes.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from app.core import strict_json
from app.core.errors import MalformedJSONError
from app.spreadsheets.formulas import guard
from app.spreadsheets.reading.cell_values import LONGEST_NUMBER, NUMBER, read_serial
from app.spreadsheets.reading.runs import unescape
from models.texts import trim

_EXACT: Final = 1e15
"""From here on a spreadsheet keeps fifteen digits of a number, and some cut the others off."""
_LOST: Final = 1e-14
_BREAK: Final = re.compile("\r\n?")
_WRITTEN: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:[.,]([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")
"""A number as a program writes it: without zeros or a sign in front."""
_DATE: Final = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,4})(?:\2([0-9]{1,4}))?")
_MIDNIGHT: Final = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$")
_ORDERS: Final = ((0, 1, 2), (2, 1, 0), (2, 0, 1))
"""Of the year, the month and the day in a date."""
_LATEST: Final = 2_958_465
"""The serial of 9999-12-31."""
_BOOLEANS: Final = {"true": True, "false": False}
_NOTHING: Final = frozenset({
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip
"""What pandas blanks unless it is told not to: the country code of Namibia and the name Null among them."""
_RICH: Final = '{"richText":'

Day = tuple[int | None, int, int]
"""The year without its century, if it is said; month and day."""


def is_retyped(text: str, cell: Any) -> bool:
    """Whether the cell, which is no text, is what a program took the text for."""
    match cell:
        case None:
            return text in _NOTHING
        case bool():
            return _BOOLEANS.get(text.casefold()) is cell
        case int() | float():
            return _is_number(text, cell) or _is_serial(text, cell)
        case datetime():
            return _is_of(_day(cell), text) and cell == cell.replace(
                hour=0, minute=0, second=0, microsecond=0
            )
        case _:
            return False


def is_rewritten(text: str, cell: str) -> bool:
    """Whether the cell is the text with other line breaks, escapes, composed letters or our apostrophe."""
    plain = _plain(cell)
    return plain == _plain(text) or (cell[:1] == "'" and plain == _plain(guard(text)))


def is_flattened(text: str, cell: str) -> bool:
    """Whether a program that took the text for something else wrote that as this text, as in CSV."""
    if written := _WRITTEN.fullmatch(cell):
        digits, exponent = written[1] or "", written[2]
        within = 0.5 * 10.0 ** (int(exponent) - len(digits)) if exponent else 0
        return len(cell) <= LONGEST_NUMBER and _is_number(text, float(cell.replace(",", ".")), within)
    if text[:1] == "'" and guard(cell) == text:
        return True  # it stood in a workbook, of which the apostrophe was no guard
    return any(_is_of(day, text) for day in _days(_MIDNIGHT.sub("", cell))) or _join_runs(cell) == text


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", trim(_BREAK.sub("\n", unescape(text))))


def _is_number(text: str, number: float, within: float = 0) -> bool:
    """Whether the text is this number, give or take what its writing leaves out."""
    if len(text) > LONGEST_NUMBER or not NUMBER.fullmatch(text):
        return False
    try:
        value, number = float(text), float(number)
    except OverflowError:
        return False
    if not (math.isfinite(value) and math.isfinite(number)):
        return False
    lost = _LOST * abs(value) if abs(value) >= _EXACT else 0
    return abs(value - number) <= max(within, lost)


def _is_serial(text: str, number: float) -> bool:
    """Whether the number is the text as a date, without the format that would show it as one."""
    moment = read_serial(number) if 0 < number <= _LATEST and number == int(number) else None
    return moment is not None and _is_of(_day(moment), text)


def _is_of(day: Day, text: str) -> bool:
    return any(read[1:] == day[1:] and read[0] in (None, day[0]) for read in _days(text))


def _day(moment: datetime) -> Day:
    return moment.year % 100, moment.month, moment.day


def _days(text: str) -> Iterator[Day]:
    """Each way of reading the text as a date; what has no year is of the year in which it is typed."""
    found = _DATE.fullmatch(text)
    if found is None:
        return
    first, second = int(found[1]), int(found[3])
    if found[4] is None:
        yield from ((None, first, second), (None, second, first))
        return
    parts = first, second, int(found[4])
    yield from ((parts[y] % 100, parts[m], parts[d]) for y, m, d in _ORDERS)


def _join_runs(cell: str) -> str | None:
    """The text of a cell of several runs, which exceljs writes to CSV as JSON."""
    if not cell.startswith(_RICH):
        return None
    try:
        cell_of_runs: Any = strict_json.parse(cell.encode())
        return "".join(run["text"] for run in cell_of_runs["richText"])
    except (MalformedJSONError, KeyError, TypeError, UnicodeEncodeError):
        return None
