"""Texts that a spreadsheet program takes for dates and times."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from app.spreadsheets.reading.cell_values import NUMBER, read_serial

_NUMERIC: Final = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,4})(?:\2([0-9]{1,4}))?")
_NAMED: Final = re.compile(
    r"([0-9]{1,4})?[ .,/-]*([A-Za-z]{3,9})[ .,/-]*([0-9]{1,4})?(?:[ ,/-]+([0-9]{1,4}))?"
)
_MONTH: Final = re.compile("([0-9]{1,2})[-/.,]")
_FIRST_YEAR: Final = 1
"""The century's: that of a month alone for SheetJS, which takes the dates of JavaScript."""
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_CLOCK: Final = re.compile(
    r"(?:(.*?\S)[T ,]+)?([0-9]{1,4}):([0-9]{1,2})(?::([0-9]{1,2}))?([.,][0-9]+)?"
    r"(?:\s?([AaPp])[.]?(?:[Mm][.]?)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_ORDERS: Final = ((0, 1, 2), (2, 1, 0), (2, 0, 1))
"""Of the year, the month and the day in a date."""
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_DAY_S: Final = 86_400
_NO_DAY: Final = frozenset({0, 1, 1_462})
"""Days since the epoch of a time without a date: some count from 1899-12-31, some from 1904-01-01."""
_LATEST: Final = 2_958_465
"""The serial of 9999-12-31."""
_ROUNDED: Final = 0.002
"""Seconds."""
_LONGEST: Final = 64

Day = tuple[int | None, int, int]
"""The year without its century, if it is said; month and day."""


def is_moment(text: str, cell: datetime) -> bool:
    """Whether a program could have taken the text for this."""
    since = cell - _EPOCH
    day: Day = (cell.year % 100, cell.month, cell.day)
    seconds = (since - timedelta(days=since.days)).total_seconds()
    for read, clock in _read(text):
        days, rest = divmod(clock, _DAY_S)
        if abs(rest - seconds) <= _ROUNDED and (
            since.days - days in _NO_DAY if read is None else _is_same(day, read)
        ):
            return True
    return False


def is_serial(text: str, number: float) -> bool:
    """Whether the number is the text as a date or a time, without the format that would show it as one."""
    moment = read_serial(number) if 0 <= number <= _LATEST else None
    return moment is not None and is_moment(text, moment)


def is_written(text: str, cell: str) -> bool:
    """Whether the cell is what the text was taken for, as a program writes it.

    Some leave out the time of a day, or its fractions, and some write a number of days.
    """
    stored = list(_read(text))
    if not stored:
        return False
    if len(cell) <= _LONGEST and NUMBER.fullmatch(cell):
        return is_serial(text, float(cell))
    return any(_is_close(one, other, has_time=":" in cell) for one in _read(cell) for other in stored)


def _is_close(written: tuple[Day | None, float], read: tuple[Day | None, float], *, has_time: bool) -> bool:
    day, other = written[0], read[0]
    if day is None or other is None:
        return day is other and abs(written[1] - read[1]) < 1
    return _is_same(day, other) and (not has_time or abs(written[1] - read[1]) < 1)


def _is_same(written: Day, read: Day) -> bool:
    return read[1:] == written[1:] and read[0] in (None, written[0])


def _read(text: str) -> Iterator[tuple[Day | None, float]]:
    """Each way of reading the text as a day, a time in seconds, or both."""
    if len(text) > _LONGEST:
        return
    found = _CLOCK.fullmatch(text)
    if found is None:
        yield from ((day, 0) for day in _days(text))
        return
    date, first, second, third, fraction, half = found.groups()
    clock = int(first) * 3600 + int(second) * 60 + int(third or 0)
    if third is None and fraction:  # minutes and seconds
        clock //= 60
    if half:
        clock = clock % (_DAY_S // 2) + (_DAY_S // 2 if half in "Pp" else 0)
    seconds = clock + float(f"0.{fraction[1:]}" if fraction else 0)
    yield from ((day, seconds) for day in (_days(date) if date else (None,)))


def _days(text: str) -> Iterator[Day]:
    """Each way of reading the text as a date; what has no year is of the year in which it is typed."""
    if found := _NUMERIC.fullmatch(text):
        first, second = int(found[1]), int(found[3])
        if found[4] is None:
            yield from ((None, first, second), (None, second, first))
            yield from ((first % 100, second, 1), (second % 100, first, 1))
            return
        parts = first, second, int(found[4])
        yield from ((parts[y] % 100, parts[m], parts[d]) for y, m, d in _ORDERS)
    elif (found := _NAMED.fullmatch(text)) and (month := _find_month(found[2].lower())):
        match [int(part) for part in (found[1], found[3], found[4]) if part]:
            case [one]:
                yield from ((None, month, one), (one % 100, month, 1))
            case [one, other]:
                yield from ((other % 100, month, one), (one % 100, month, other))
    elif found := _MONTH.fullmatch(text):
        yield _FIRST_YEAR, int(found[1]), 1


def _find_month(name: str) -> int | None:
    return next((n for n, month in enumerate(_MONTHS, 1) if month.startswith(name)), None)
