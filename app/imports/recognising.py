"""Cells that say what is stored already, in the way of the program that saved the file: no changes."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.imports.conversion import BadCellError, converter, pointer
from app.imports.row_parser import CHANGED, ParsedRow
from app.spreadsheets.columns import MOST_ADDRESSES, catalogue
from app.spreadsheets.reading.values import ErrorValue, Formatted, Formula, Unread
from app.spreadsheets.retyped import is_flattened, is_retyped, is_rewritten
from models.export import Format

_PATHS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    column.name: (column.path[2] if column.path[1:2] == ("addresses",) else -1, column.path)
    for column in catalogue(MOST_ADDRESSES)
    if column.kind in ("text", "list")
}
"""Where in a user the texts stand that a program may write another way: in which address, from 0, or -1."""
_NOWHERE: Final[tuple[Any, tuple[Any, ...]]] = (MOST_ADDRESSES, ())
_ROUNDED: Final = timedelta(milliseconds=2)
"""What is lost of a moment that is written as a number of days."""
_SIGN: Final = re.compile("[$€£¥₩₹%]")
"""What the format of a number shows beside it, for which the cell is a text."""
_read_flag: Final = converter("is_active")


def recognise(parsed: ParsedRow, user: Mapping[str, Any], form: Format) -> bool:
    """Gives the row the stored values that its cells say in another way; whether there are any.

    Of such a cell nothing is wrong any longer. A row that says it was made of another state of the user means
    what it says: in all its cells; or, if it has a version, by which each difference is a conflict, in those
    that are blank.
    """
    version = parsed.values.get("version")
    if version is None and _is_older(parsed, user[CHANGED]):
        return False
    found, has_blanks = False, version in (None, user["version"])
    values, cells, beyond = parsed.values, parsed.cells, len(user["profile"]["addresses"])
    for field, (key, _) in parsed.columns.items():
        address, path = _PATHS.get(field, _NOWHERE)
        if address >= beyond or key is None or (cells[key] is None and not has_blanks):
            continue
        stored = _find(user, path)
        if not stored or values.get(field) == stored:
            continue
        text = ",".join(stored) if isinstance(stored, list) else stored
        if _says(text, cells[key], field, form):
            values[field] = stored
            parsed.forgive(pointer(field))
            found = True
    return found


def _is_older(parsed: ParsedRow, changed: datetime) -> bool:
    """Whether the row was made of another state of the user; False where its cell is no moment any more."""
    place = parsed.columns.get(CHANGED)
    moment = _read_moment(parsed.cells[place.key]) if place is not None else None
    if moment is None:
        return False
    within = _ROUNDED if moment.microsecond else timedelta(seconds=1)  # which some programs leave whole
    return abs(moment - changed) >= within


def _read_moment(cell: Any) -> datetime | None:
    """Without its zone, in UTC, as stored rows have it."""
    try:
        moment = datetime.fromisoformat(cell) if isinstance(cell, str) else cell
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (AttributeError, ValueError, OverflowError):  # no moment
        return None


def _says(text: str, cell: Any, field: str, form: Format) -> bool:
    """What is text in a workbook or NDJSON was taken for nothing else: all but a phone means what it says."""
    if isinstance(cell, Formatted):  # LibreOffice shows the text `1e5` of a CSV as 1.00E+05
        return str(cell) == text or is_flattened(text, str(cell))
    if isinstance(cell, Unread):  # openpyxl writes the texts `=1+1` and `#N/A` as what they look like
        return isinstance(cell, Formula | ErrorValue) and str(cell) == text
    if isinstance(cell, str):
        is_loose = form == "csv" or field == "phone" or _SIGN.search(cell) is not None
        return is_rewritten(text, cell) or (is_loose and (is_flattened(text, cell) or _is_flag(text, cell)))
    return (cell is not None or form != "ndjson") and is_retyped(text, cell)


def _is_flag(text: str, cell: str) -> bool:
    """Whether the text was taken for a boolean, and is written in some language."""
    try:
        flag = _read_flag(cell) if _read_flag is not None else None
    except BadCellError:
        return False
    return flag is not None and is_retyped(text, flag)


def _find(value: Any, path: Sequence[Any]) -> Any:
    """The stored text, or list of texts."""
    for key in path:
        value = value[key] if isinstance(key, int) else value.get(key)
    return value
