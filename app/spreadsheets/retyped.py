"""Recognises cells that a spreadsheet program made of a text by opening and saving the file.

Programs take texts for numbers, dates, times and booleans, keep the apostrophe of our CSV, write line breaks
and tabs another way, leave `_x000D_` as it stands in a workbook, break emoji, and blank what they take for
nothing. Each form here is written by some program.
"""

import re
import unicodedata
from datetime import datetime
from typing import Any, Final

from app.core import strict_json
from app.core.errors import MalformedJSONError
from app.spreadsheets import moments, numerals
from app.spreadsheets.formulas import guard
from app.spreadsheets.reading.runs import unescape
from models.texts import trim

_BREAK: Final = re.compile("\r\n?")
_TABS: Final = re.compile(" *\t[ \t]*")
_LOST: Final = re.compile("(\ufffd+)")
_ASCII: Final = frozenset(map(chr, range(128)))
_MOST_LOST: Final = 64
"""Of U+FFFD in a cell: a few stand where a program cut a text within a character."""
_BOOLEANS: Final = {"true": True, "false": False}
_NOTHING: Final = frozenset({
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip
"""Texts that pandas blanks by default, the country code of Namibia and the name Null among them."""
_RICH: Final = '{"richText":'


def is_retyped(text: str, cell: Any) -> bool:
    """Whether a cell that is no text is what a program made of the text."""
    match cell:
        case None:
            return text in _NOTHING
        case bool():
            return _BOOLEANS.get(text.casefold()) is cell
        case int() | float():
            return numerals.is_number(text, cell) or moments.is_serial(text, cell)
        case datetime():
            return moments.is_moment(text, cell)
        case _:
            return False


def is_rewritten(text: str, cell: str) -> bool:
    """Whether a cell is the text with other white space, escapes, composition or our apostrophe."""
    plain, stored = _plain(cell), _plain(text)
    if plain == stored or (cell[:1] == "'" and plain == _plain(guard(text))):
        return True
    if "\t" in stored and plain in (_TABS.sub(" ", stored), stored.replace("\t", "")):
        return True  # pandas writes and reads OpenDocument so
    return "\ufffd" in plain and _is_broken(stored, plain)


def is_flattened(text: str, cell: str) -> bool:
    """Whether a cell is the text of what a program made of the text, as in CSV."""
    if text[:1] == "'" and guard(cell) == text:
        return True  # it was in a workbook, where an apostrophe is no guard
    return numerals.is_written(text, cell) or moments.is_written(text, cell) or _join_runs(cell) == text


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", trim(_BREAK.sub("\n", unescape(text))))


def _is_broken(text: str, cell: str) -> bool:
    """Whether the cell is the text but for characters beyond ASCII, of each of which some U+FFFD are left."""
    if cell.count("\ufffd") > _MOST_LOST:
        return False
    places = {0}
    for part in _LOST.split(cell):
        if part[:1] == "\ufffd":
            lengths = range(1, len(part) + 1)
            places = {
                start + n for start in places for n in lengths if _ASCII.isdisjoint(text[start : start + n])
            }
        else:
            places = {place + len(part) for place in places if text.startswith(part, place)}
    return len(text) in places


def _join_runs(cell: str) -> str | None:
    """The text of a cell of several runs, which exceljs writes to CSV as JSON."""
    if not cell.startswith(_RICH):
        return None
    try:
        cell_of_runs: Any = strict_json.parse(cell.encode())
        return "".join(run["text"] for run in cell_of_runs["richText"])
    except (MalformedJSONError, KeyError, TypeError, UnicodeEncodeError):
        return None
