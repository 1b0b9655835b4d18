"""Texts of a workbook: ST_Xstring's escapes, and strings of several runs."""

import re

_escape = re.compile("_x([0-9A-Fa-f]{4})_")
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
