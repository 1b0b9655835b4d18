"""XLSX: the sheet that an export or a person wrote, as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.core.errors import UnreadableFileError
from app.spreadsheets.reading import grid, workbook
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.shared_strings import SharedStrings
from app.spreadsheets.reading.sheet import SheetReader
from app.spreadsheets.reading.sheet_choice import find_candidates, find_continuations
from app.spreadsheets.reading.values import Choices, Hidden, Limits


@dataclass(frozen=True, slots=True)
class Tables:
    """The sheets that hold one table, and the first of its rows."""

    sheet: str
    other_sheets: list[str]
    heading: list[str]
    rows: Iterator[Record]
    hidden: Hidden


def read(
    archive: Archive, scratch: BinaryIO, limits: Limits, choices: Choices, *, splits_merges: bool = True
) -> Tables:
    book = workbook.read(archive)
    candidates = find_candidates(book.sheets, choices.sheet)
    strings = (
        SharedStrings(book.strings, archive.stream(book.strings), scratch, limits)
        if book.strings is not None and book.strings in archive
        else None
    )
    reader = SheetReader(archive, book, strings, limits, splits_merges=splits_merges)
    skipped = 0
    for first in candidates:
        hidden = Hidden(is_read=choices.hidden == "read")
        records = reader.read(first, hidden)
        if (heading := grid.find_heading(records, limits)) is not None:
            break
        skipped += hidden.rows
    else:
        raise grid.no_heading(is_hidden=skipped > 0)
    more = find_continuations(book.sheets, first) if choices.sheet is None else []
    parts = [records, *(reader.read(one, hidden) for one in more)]
    chosen = [first, *more]
    names = [one.name for one in chosen]
    others = [one.name for one in book.sheets if one not in chosen]
    return Tables(first.name, others, heading, join(names, parts, heading, limits), hidden)


def join(
    names: list[str], parts: list[Iterator[Record]], heading: list[str], limits: Limits
) -> Iterator[Record]:
    """The rows of all the sheets, each of which repeats the heading."""
    yield from parts[0]
    for name, part in zip(names[1:], parts[1:], strict=True):
        if grid.read_heading(part, limits) != heading:
            raise UnreadableFileError(
                f"The sheet {name} goes on with other columns than {names[0]}: name them alike."
            )
        yield from part
