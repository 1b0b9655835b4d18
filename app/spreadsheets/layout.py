"""What a sheet is made of, whichever kind of workbook it stands in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, Self

from app.spreadsheets import cells
from app.spreadsheets.column import Column, Kind

MOST_ROWS: Final = 1_048_576
"""Rows of a sheet, its header included."""

Style = Literal["plain", "text", "datetime"]

_NARROWEST: Final = 12
_WIDEST: Final = 40
_STYLES: Final[dict[Kind, Style]] = {"integer": "plain", "boolean": "plain", "datetime": "datetime"}


@dataclass(frozen=True, slots=True)
class Layout:
    labels: Sequence[str]
    columns: Sequence[tuple[int, Style]]
    """Width, in characters, and style of each."""
    read: Callable[[Sequence[Any]], list[cells.Cells]]
    """The rows by columns."""

    @classmethod
    def of_columns(cls, columns: Sequence[Column]) -> Self:
        """Of stored users."""
        widths = [(column.width, _STYLES.get(column.kind, "text")) for column in columns]
        return cls([column.label for column in columns], widths, partial(cells.read, columns))

    @classmethod
    def of_headings(cls, headings: Sequence[str]) -> Self:
        """Of any table: rows of cells as `app.spreadsheets.reading` gives them, as wide as the headings."""
        # As texts, so that a zip code that somebody types into an empty cell keeps its zeros.
        widths: list[tuple[int, Style]] = [
            (min(max(_NARROWEST, len(heading) + 2), _WIDEST), "text") for heading in headings
        ]
        return cls(headings, widths, cells.read_plain)


def name_sheet(number: int) -> str:
    """The name of a table's first sheet, and of those in which it goes on."""
    return "Users" if number == 1 else f"Users {number}"


def name_column(index: int) -> str:
    """The letters of a column counted from 0."""
    tens, ones = divmod(index, 26)
    return (name_column(tens - 1) if tens else "") + chr(ord("A") + ones)


def read_column(letters: str) -> int:
    """The column, counted from 0, of its letters, of which there is one at least."""
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1
