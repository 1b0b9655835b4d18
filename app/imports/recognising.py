"""Cells that say what is stored already, in the way of the program that saved the file: no changes."""

from collections.abc import Mapping
from typing import Any, Final

from app.imports.columns import address
from app.imports.conversion import BadCellError, converter, pointer
from app.imports.merging import PROFILE
from app.imports.reading import Given
from app.spreadsheets.reading.values import ErrorValue, Formula, Unread
from app.spreadsheets.retyped import is_flattened, is_retyped, is_rewritten
from models.export import Format

_TEXTS: Final = ("name", "email", "username", "phone", "avatar_url", "locale")
_LISTS: Final = ("tags", "scopes")
_read_flag: Final = converter("is_active")


def recognise(given: Given, user: Mapping[str, Any], form: Format) -> None:
    """Gives the row the stored values that its cells say in another way; of those nothing is wrong then."""
    for field, column in given.columns.items():
        stored = _find(user, field)
        if not stored or column.key is None or given.values.get(field) == stored:
            continue
        text = ",".join(stored) if isinstance(stored, list) else stored
        if _says(text, given.cells[column.key], field, form):
            given.values[field] = stored
            given.forgive(pointer(field))


def _says(text: str, cell: Any, field: str, form: Format) -> bool:
    """What is text in a workbook or NDJSON was taken for nothing else: all but a phone means what it says."""
    if isinstance(cell, Unread):  # openpyxl writes the texts `=1+1` and `#N/A` as what they look like
        return isinstance(cell, Formula | ErrorValue) and str(cell) == text
    if isinstance(cell, str):
        is_loose = form == "csv" or field == "phone"
        return is_rewritten(text, cell) or (is_loose and (is_flattened(text, cell) or _is_flag(text, cell)))
    return (cell is not None or form != "ndjson") and is_retyped(text, cell)


def _is_flag(text: str, cell: str) -> bool:
    """Whether the text was taken for a boolean, and is written in some language."""
    try:
        flag = _read_flag(cell) if _read_flag is not None else None
    except BadCellError:
        return False
    return flag is not None and is_retyped(text, flag)


def _find(user: Mapping[str, Any], field: str) -> Any:
    """The stored text, or list of texts, of a column; None for what is neither."""
    if field in _TEXTS or field in _LISTS or field == "id":
        return user[field]
    if field in PROFILE:
        value = user["profile"][field]
        return value if isinstance(value, str) else None
    if (place := address(field)) is None:
        return None
    addresses = user["profile"]["addresses"]
    return addresses[place[0] - 1].get(place[1]) if place[0] <= len(addresses) else None
