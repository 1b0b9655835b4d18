"""The layout of a sheet in any kind of workbook."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, Self

from app.spreadsheets import cells
from app.spreadsheets.column import Column, Kind

MOST_ROWS: Final = 1_048_576
"""The most rows of a sheet, heading included."""

Style = Literal["plain", "text", "datetime"]

_NARROWEST: Final = 12
_WIDEST: Final = 40
_STYLES: Final[dict[Kind, Style]] = {"integer": "plain", "boolean": "plain", "datetime": "datetime"}


@dataclass(frozen=True, slots=True)
class Layout:
    labels: Sequence[str]
    columns: Sequence[tuple[int, Style]]
    """The width, in characters, and style of each column."""
    read: Callable[[Sequence[Any]], list[cells.Cells]]
    """Reads rows by columns."""

    @classmethod
    def of_columns(cls, columns: Sequence[Column]) -> Self:
        """The layout of stored users."""
        widths = [(column.width, _STYLES.get(column.kind, "text")) for column in columns]
        return cls([column.label for column in columns], widths, partial(cells.read, columns))

    @classmethod
    def of_headings(cls, headings: Sequence[str]) -> Self:
        """The layout of any table: rows of cells from `app.spreadsheets.reading`, as wide as the headings."""
        # As text, so that a zip code typed into an empty cell keeps its zeros.
        widths: list[tuple[int, Style]] = [
            (min(max(_NARROWEST, len(heading) + 2), _WIDEST), "text") for heading in headings
        ]
        return cls(headings, widths, cells.read_plain)


def name_sheet(number: int) -> str:
    """The names of a table's first sheet and of its continuations."""
    return "Users" if number == 1 else f"Users {number}"


def name_column(index: int) -> str:
    """The letters of a column counted from 0."""
    tens, ones = divmod(index, 26)
    return (name_column(tens - 1) if tens else "") + chr(ord("A") + ones)


def read_column(letters: str) -> int:
    """The column, counted from 0, of at least one letter."""
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1
