"""What a table of cells must be, whichever file it came from: a heading, and rows no wider than it."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.core.errors import FileTooLargeError, UnreadableFileError
from app.spreadsheets.layout import name_column
from app.spreadsheets.reading.values import LONGEST_HEADING, Cell, Covered, Limits, Unread

Record = tuple[int, list[Cell]]
"""A row's number and its cells; blank ones may be missing at the end."""

SHOW_THEM: Final = "show them, or send hidden=read."
_SHOWN: Final = 40


def read_heading(records: Iterator[Record], limits: Limits) -> list[str]:
    """The texts of the first row that is not blank."""
    heading = find_heading(records, limits)
    if heading is None:
        raise no_heading()
    return heading


def find_heading(records: Iterator[Record], limits: Limits) -> list[str] | None:
    """The same; None where every row is blank."""
    for number, cells in records:
        if any(cell is not None for cell in cells):
            return _check_heading(number, cells, limits)
    return None


def no_heading(*, is_hidden: bool = False) -> UnreadableFileError:
    if is_hidden:
        return UnreadableFileError(f"All rows of the sheet are hidden: {SHOW_THEM}")
    return UnreadableFileError("The file is empty: its first row must name the columns.")


def read_rows(records: Iterator[Record], width: int, limits: Limits) -> Iterator[Record]:
    """The rows that are not blank, each as wide as the heading."""
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


def _is_blank(cell: Cell) -> bool:
    """What a merge covers is of no row or column of its own."""
    return cell is None or isinstance(cell, Covered)


def _check_beyond(number: int, cells: Sequence[Cell], width: int) -> None:
    for place in range(width, len(cells)):
        if not _is_blank(cells[place]):
            raise UnreadableFileError(
                f"The cell {name_column(place)}{number} stands right of the last column that has a heading, "
                f"{name_column(width - 1)}: give its column a heading, or clear it."
            )
