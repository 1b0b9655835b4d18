"""Which sheets of a workbook are read: the one that is asked for, or the first that holds something."""

from collections.abc import Sequence
from typing import Final

from app.core.errors import FieldError, InvalidError, UnreadableFileError
from app.core.near_names import find_near
from app.spreadsheets.layout import name_sheet
from app.spreadsheets.reading.workbook import Sheet

_SHOWN: Final = 40
_LISTED: Final = 10


def find_candidates(sheets: Sequence[Sheet], asked: str | None) -> list[Sheet]:
    """The sheets of which the first that holds something is read. InvalidError names those there are."""
    shown = [sheet for sheet in sheets if sheet.is_visible]
    if asked is not None:
        return [_find(sheets, shown, asked)]
    if not shown:
        raise UnreadableFileError("The workbook has no sheet that is shown.")
    return shown


def find_continuations(sheets: Sequence[Sheet], first: Sheet) -> list[Sheet]:
    """The sheets in which our export goes on after its first one."""
    found: list[Sheet] = []
    for sheet in sheets[sheets.index(first) + 1 :]:
        if sheet.is_visible and [first.name, sheet.name] == [name_sheet(1), name_sheet(len(found) + 2)]:
            found.append(sheet)
    return found


def _find(sheets: Sequence[Sheet], shown: Sequence[Sheet], asked: str) -> Sheet:
    """By name, of a hidden one too, as spreadsheets compare names; else by its place among those shown."""
    for sheet in sheets:
        if sheet.name.casefold() == asked.casefold():
            return sheet
    if asked.isdecimal() and asked.isascii() and 0 < int(asked) <= len(shown):
        return shown[int(asked) - 1]
    names = [sheet.name for sheet in shown]
    listed = ", ".join(f"`{name[:_SHOWN]}`" for name in (find_near(asked, names, most=3) or names)[:_LISTED])
    detail = f"the workbook has no sheet `{asked[:_SHOWN]}`: write a name or a number, such as {listed}"
    raise InvalidError("The sheet is not in the file.", errors=(FieldError(detail, parameter="sheet"),))
