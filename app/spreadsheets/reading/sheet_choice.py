"""Chooses the sheets of a workbook to read: the named one, or the first with content."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.core.errors import FieldError, InvalidError, UnreadableFileError
from app.core.near_names import find_near
from app.spreadsheets.layout import name_sheet
from app.spreadsheets.reading import grid
from app.spreadsheets.reading.grid import Record
from app.spreadsheets.reading.values import Choices, Hidden, Limits
from app.spreadsheets.reading.workbook import Sheet

_SHOWN: Final = 40
_LISTED: Final = 10
_SUMMARY: Final = ("Numbers", "Numbers", "Excel")
"""Names that stand in the three headings of the summary that Numbers writes, whatever its language."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The sheets that hold one table, and the rows below its heading."""

    sheet: str
    other_sheets: list[str]
    heading: list[str]
    rows: Iterator[Record]
    hidden: Hidden


def read_table(
    sheets: Sequence[Sheet],
    candidates: Sequence[Sheet],
    read_sheet: Callable[[Sheet, Hidden], Iterator[Record]],
    limits: Limits,
    choices: Choices,
) -> Tables:
    """The first of the candidates that holds a table, and those in which an export of ours goes on."""
    skipped = 0
    for first in candidates:
        hidden = Hidden(is_read=choices.hidden == "read")
        found = grid.find_heading(read_sheet(first, hidden), limits)
        if found is not None and (first is candidates[-1] or not _is_summary(found[0])):
            break
        skipped += hidden.rows
    else:
        raise grid.no_heading(is_hidden=skipped > 0)
    heading, rows = found
    chosen = [first, *(find_continuations(sheets, first) if choices.sheet is None else [])]
    others = [sheet.name for sheet in sheets if sheet not in chosen]
    more = ((sheet.name, read_sheet(sheet, hidden)) for sheet in chosen[1:])
    return Tables(first.name, others, heading, _join(first.name, heading, rows, more, limits), hidden)


def _join(
    name: str,
    heading: list[str],
    rows: Iterator[Record],
    more: Iterator[tuple[str, Iterator[Record]]],
    limits: Limits,
) -> Iterator[Record]:
    """The rows of all the sheets, each of which repeats the heading."""
    yield from rows
    for other, records in more:
        again, rows = grid.read_heading(records, limits)
        if again != heading:
            raise UnreadableFileError(
                f"The sheet {other} goes on with other columns than {name}: name them alike."
            )
        yield from rows


def _is_summary(heading: Sequence[str]) -> bool:
    """Whether it heads the list of tables that Apple's Numbers puts before what it exports."""
    texts = [text for text in heading if text]
    return len(texts) == len(_SUMMARY) and all(map(str.__contains__, texts, _SUMMARY))


def find_candidates(sheets: Sequence[Sheet], asked: str | None) -> list[Sheet]:
    """The sheets of which the first with content is read. InvalidError names the existing ones."""
    shown = [sheet for sheet in sheets if sheet.is_visible]
    if asked is not None:
        return [_find(sheets, shown, asked)]
    if not shown:
        raise UnreadableFileError("The workbook has no sheet that is shown.")
    return shown


def find_continuations(sheets: Sequence[Sheet], first: Sheet) -> list[Sheet]:
    """The sheets that continue the first one of an export."""
    found: list[Sheet] = []
    for sheet in sheets[sheets.index(first) + 1 :]:
        if sheet.is_visible and [first.name, sheet.name] == [name_sheet(1), name_sheet(len(found) + 2)]:
            found.append(sheet)
    return found


def _find(sheets: Sequence[Sheet], shown: Sequence[Sheet], asked: str) -> Sheet:
    """Find a sheet by name, also a hidden one, ignoring case; else by its place among those shown."""
    for sheet in sheets:
        if sheet.name.casefold() == asked.casefold():
            return sheet
    if asked.isdecimal() and asked.isascii() and 0 < int(asked) <= len(shown):
        return shown[int(asked) - 1]
    names = [sheet.name for sheet in shown]
    listed = ", ".join(f"`{name[:_SHOWN]}`" for name in (find_near(asked, names, most=3) or names)[:_LISTED])
    detail = f"the workbook has no sheet `{asked[:_SHOWN]}`: write a name or a number, such as {listed}"
    raise InvalidError("The sheet is not in the file.", errors=(FieldError(detail, parameter="sheet"),))
