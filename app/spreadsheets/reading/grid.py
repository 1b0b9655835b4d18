"""Checks a table of cells of any file: a heading, and rows no wider than it."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.layout import name_column
from app.spreadsheets.reading.values import LONGEST_HEADING, Cell, Covered, Limits, Unread

Record = tuple[int, list[Cell]]
"""A row's number and its cells, perhaps without blank ones at the end."""

Heading = tuple[list[str], Iterator[Record]]
"""The names of the columns, and the rows below them."""

SHOW_THEM: Final = "show them, or send hidden=read."
_SHOWN: Final = 40
_MOST_TITLES: Final = 3
_KEYS: Final = frozenset({"id", "email", "username"})
"""Columns that may stand alone in a table of users: they are no title."""


def read_heading(records: Iterator[Record], limits: Limits) -> Heading:
    """The first row that is not blank, and the rows below it."""
    heading = find_heading(records, limits)
    if heading is None:
        raise no_heading()
    return heading


def find_heading(records: Iterator[Record], limits: Limits) -> Heading | None:
    """The same; None if all rows are blank. Titles above a table are passed over.

    A title is a row of one cell before a row of several texts, as Numbers writes the name of a table.
    """
    filled = (record for record in records if any(cell is not None for cell in record[1]))
    first = list(islice(filled, 1))
    if not first:
        return None
    ahead = [*first, *islice(filled, _MOST_TITLES if _is_title(first[0][1]) else 0)]
    place = next((place for place, (_, cells) in enumerate(ahead) if _are_names(cells)), 0)
    number, cells = ahead[place]
    return _check_heading(number, cells, limits), chain(ahead[place + 1 :], records)


def no_heading(*, is_hidden: bool = False) -> UnreadableFileError:
    if is_hidden:
        return UnreadableFileError(f"All rows of the sheet are hidden: {SHOW_THEM}")
    return UnreadableFileError("The file is empty: its first row must name the columns.")


def read_rows(records: Iterator[Record], width: int, limits: Limits) -> Iterator[Record]:
    """The non-blank rows, each as wide as the heading."""
    count = 0
    blank = [None] * width
    for number, cells in records:
        if len(cells) > width:
            _check_beyond(number, cells, width)
            del cells[width:]
        elif len(cells) < width:
            cells.extend(blank[len(cells) :])
        if cells == blank:
            continue
        count += 1
        if count > limits.rows:
            raise FileTooLargeError(f"The file has more than {limits.rows:,} rows: send it in parts.")
        yield number, cells


def check_size(number: int, cells: Sequence[Cell], limits: Limits) -> None:
    total = 0
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            total += len(cell)
            if is_too_long(cell, limits):
                raise long_cell(f"{name_column(place)}{number}", limits)
    if total > limits.row_characters:
        raise UnreadableFileError(f"Row {number} holds more than {limits.row_characters:,} characters.")


def long_cell(place: str, limits: Limits) -> UnreadableFileError:
    return UnreadableFileError(f"The cell {place} holds more than {limits.cell_characters:,} characters.")


def is_too_long(text: str, limits: Limits) -> bool:
    most = limits.cell_characters
    return len(text) > most // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 > most


def _check_heading(number: int, cells: Sequence[Cell], limits: Limits) -> list[str]:
    cells = cells[: max(place for place, cell in enumerate(cells, 1) if not _is_blank(cell))]
    if len(cells) > limits.columns:
        raise UnreadableFileError(
            f"The heading reaches to {name_column(len(cells) - 1)}{number}: "
            f"a table has at most {limits.columns} columns."
        )
    seen: dict[str, int] = {}
    for place, cell in enumerate(cells):
        _check_name(cell, f"{name_column(place)}{number}")
        text = "" if cell is None else str(cell)
        if text and seen.setdefault(text, place) != place:
            raise UnreadableFileError(
                f"The columns {name_column(seen[text])} and {name_column(place)} are both headed "
                f"`{text[:_SHOWN]}`: headings must differ."
            )
    return ["" if cell is None else str(cell) for cell in cells]


def _check_name(cell: Cell, place: str) -> None:
    if isinstance(cell, Unread):
        raise UnreadableFileError(f"The heading {place} cannot be read as a column's name. {cell.detail}")
    if isinstance(cell, str) and len(cell) > LONGEST_HEADING:
        raise UnreadableFileError(
            f"The heading {place} has more than {LONGEST_HEADING} characters: "
            "the first row must name the columns."
        )


def _is_title(cells: Sequence[Cell]) -> bool:
    (text, *others) = [cell for cell in cells if not _is_blank(cell)] or [None]
    return isinstance(text, str) and not others and text.lower().replace("-", "") not in _KEYS


def _are_names(cells: Sequence[Cell]) -> bool:
    texts = [cell for cell in cells if not _is_blank(cell)]
    return len(texts) > 1 and all(type(text) is str for text in texts)


def _is_blank(cell: Cell) -> bool:
    """Whether a cell is blank; covered cells of merges are."""
    return cell is None or isinstance(cell, Covered)


def _check_beyond(number: int, cells: Sequence[Cell], width: int) -> None:
    for place in range(width, len(cells)):
        if not _is_blank(cells[place]):
            raise UnreadableFileError(
                f"The cell {name_column(place)}{number} stands right of the last column that has a heading, "
                f"{name_column(width - 1)}: give its column a heading, or clear it."
            )
