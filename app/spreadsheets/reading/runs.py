"""Texts of a workbook: ST_Xstring's escapes, and strings of several runs."""

import re
from typing import Final
from xml.etree.ElementTree import Element

from app.spreadsheets.reading import markup

_escape = re.compile("_x([0-9A-Fa-f]{4})_")
_TEXT: Final = markup.main_tags("t")
_PHONETIC: Final = markup.main_tags("rPh")
_SURROGATES = re.compile("[\ud800-\udfff]")


def unescape(run: str) -> str:
    """One run with `_xHHHH_` read as that UTF-16 unit (ECMA-376, 22.9.2.19); half a pair stays as it is."""
    if "_x" not in run:
        return run
    text = _escape.sub(lambda match: chr(int(match[1], 16)), run)
    if not _SURROGATES.search(text):
        return text
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return run


def read(string: Element) -> str:
    """The text of a string's runs, without what tells how to pronounce it."""
    if string.tag in _TEXT:
        return unescape("".join(string.itertext()))
    return "" if string.tag in _PHONETIC else "".join(map(read, string))
