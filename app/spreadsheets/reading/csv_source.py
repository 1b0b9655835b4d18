"""Reads CSV: RFC 4180 with the delimiter of the heading."""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from app.core.errors import UnreadableFileError
from app.spreadsheets import formulas
from app.spreadsheets.reading import grid
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.texts import Lines
from app.spreadsheets.reading.values import Cell, Limits

DELIMITERS: Final = (",", ";", "\t")

_quoted = re.compile(r'"[^"]*"?')
_excel_says = re.compile(r"sep=([^\w\s\"]|\t)[\r\n]*", re.IGNORECASE)
_MOST_HEADING_LINES: Final = 500


def read(lines: Lines, delimiter: str | None, limits: Limits) -> tuple[str, Iterator[Record]]:
    """The delimiter and the records; Excel's first line `sep=;` names it and is no record."""
    source = iter(lines)
    first = next(source, "")
    if match := _excel_says.fullmatch(first):
        delimiter = delimiter or match[1]
        first = next(source, "")
    while first and not first.strip():
        first = next(source, "")
    opening = [first]
    while _is_open(opening) and len(opening) < _MOST_HEADING_LINES and (line := next(source, "")):
        opening.append(line)
    chosen = delimiter or _sniff("".join(opening))
    return chosen, _read_records(_Rewound(lines, opening, source, chosen, limits), chosen, limits)


class _Rewound:
    """The lines from the first on, with their number.

    SheetJS writes a return within a cell without quotes. Where the heading ends with a line feed, a return
    before all the delimiters of a row is such a one: a NUL, which no line has, until the row is read.
    """

    def __init__(
        self, lines: Lines, opening: list[str], rest: Iterator[str], delimiter: str, limits: Limits
    ) -> None:
        self.number = lines.number - len(opening)
        self.has_returns = False
        self._lines = chain(opening, rest)
        self._delimiter = delimiter
        self._delimiters = _count("".join(opening), delimiter) if opening[-1].endswith("\n") else 0
        self._longest = limits.row_characters

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            yield self._join(line) if line.endswith("\r") else line

    def _join(self, line: str) -> str:
        pieces, delimiters, size = [], 0, 0
        while line.endswith("\r") and size < self._longest:
            delimiters += line.count(self._delimiter)
            if delimiters >= self._delimiters:
                break
            self.has_returns = True
            size += len(line)
            pieces.append(line[:-1])
            line = next(self._lines, "")
            self.number += 1
        return "\0".join([*pieces, line])


def _read_records(source: _Rewound, delimiter: str, limits: Limits) -> Iterator[Record]:
    # One character more for a removed apostrophe, and one to detect a cell that is too long.
    csv.field_size_limit(limits.cell_characters + 2)
    records = csv.reader(source, delimiter=delimiter, strict=True)
    unguard = formulas.unguard
    while True:
        begins = source.number + 1
        try:
            record = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            raise _explain(str(error), begins, source.number, limits) from None
        if source.has_returns:
            record = [text.replace("\0", "\r") for text in record]
        cells: list[Cell] = [(unguard(text) if text[0] == "'" else text) if text else None for text in record]
        if sum(map(len, record)) > limits.cell_characters // 2:
            grid.check_size(begins, cells, limits)
        yield begins, cells


def _explain(error: str, begins: int, line: int, limits: Limits) -> UnreadableFileError:
    if "unexpected end" in error:
        what = f"The row that begins in line {begins} has a quote that is never closed."
    elif "field limit" in error:
        what = (
            f"The row that begins in line {begins} has a cell of more than {limits.cell_characters:,} "
            "characters, or a quote that is never closed."
        )
    else:
        what = (
            f"Line {line} has characters after a closing quote: a quote within a cell is written twice, "
            "and the cell stands in quotes."
        )
    return UnreadableFileError(what)


def _is_open(lines: list[str]) -> bool:
    """Whether these lines have an open quote."""
    return sum(line.count('"') for line in lines) % 2 == 1


def _sniff(heading: str) -> str:
    """The most frequent delimiter in the heading outside of quotes."""
    return max(DELIMITERS, key=lambda delimiter: _count(heading, delimiter))


def _count(heading: str, delimiter: str) -> int:
    return _quoted.sub("", heading).count(delimiter)
