"""Texts that a spreadsheet program takes for numbers: amounts, percents, fractions, grouped in any way."""

import math
import re
from collections.abc import Iterator
from typing import Final

from app.spreadsheets.reading.cell_values import LONGEST_NUMBER, NUMBER

_EXACT: Final = 1e15
"""From here on a spreadsheet keeps fifteen digits of a number, and some cut the others off."""
_CUT: Final = 1e-14
_ROUNDED: Final = 1e-12
_WRITTEN: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:[.,]([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")
"""A number as a program writes it: without zeros or a sign in front."""
_PADDED: Final = re.compile(r"\W*(?:\+|0[0-9])")
_BASED: Final = re.compile(r"0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO][0-7]+)")
_FRACTION: Final = re.compile(r"(-?)(?:([0-9]{1,9}) )?([0-9]{1,9})/([0-9]{1,9})")
_DRESS: Final = re.compile(r"\s*[$€£¥₩₹%()]\s*")
_NEGATIVE: Final = re.compile(r"\(.*\)|[^-]+-")
_SPACED: Final = re.compile(r"(?<=[0-9])['’\s](?=[0-9]{3}(?![0-9]))")
_POINTED: Final = re.compile(r"(?<=[0-9])[.](?=[0-9]{3}(?![0-9]))")


def is_number(text: str, number: float, within: float = 0) -> bool:
    """Whether the text is this number, give or take what its writing leaves out."""
    try:
        number = float(number)
    except OverflowError:
        return False
    return math.isfinite(number) and any(_is_close(value, number, within) for value in _values(text))


def is_written(text: str, cell: str) -> bool:
    """Whether the cell is the number that the text was taken for, as a program writes it."""
    if len(cell) > LONGEST_NUMBER or _PADDED.match(cell):
        return False
    if written := _WRITTEN.fullmatch(cell):
        digits, exponent = written[1] or "", written[2]
        within = 0.5 * 10.0 ** (int(exponent) - len(digits)) if exponent else 0
        return is_number(text, float(cell.replace(",", ".")), within)
    return any(is_number(text, number) for number in _values(cell))


def _is_close(value: float, number: float, within: float) -> bool:
    lost = (_CUT if abs(value) >= _EXACT else 0 if value.is_integer() else _ROUNDED) * abs(value)
    return abs(value - number) <= max(within, lost)


def _values(text: str) -> Iterator[float]:
    """Each way of reading the text as a number."""
    if len(text) > LONGEST_NUMBER or not any(map(str.isdecimal, text)):
        return
    if _BASED.fullmatch(text):
        yield float(int(text, 0))
    elif (found := _FRACTION.fullmatch(text)) and int(found[4]):
        yield (-1 if found[1] else 1) * (int(found[2] or 0) + int(found[3]) / int(found[4]))
    else:
        sign, scale = -1 if _NEGATIVE.fullmatch(text) else 1, 100 ** text.count("%")
        bare = _DRESS.sub("", _SPACED.sub("", text)).removesuffix("-")
        points = (bare, _POINTED.sub("", bare))
        for digits in {bare.replace(",", ""), *(each.replace(",", ".") for each in points)}:
            if NUMBER.fullmatch(digits) and math.isfinite(value := float(digits)):
                yield sign * value / scale
