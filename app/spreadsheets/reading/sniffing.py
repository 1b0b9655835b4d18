"""Detects the format of a file by its first bytes; its name is not trusted."""

import re
from typing import BinaryIO, Final

from app.core.errors import UnsupportedFileError
from app.spreadsheets.reading import foreign
from models.export import Format

_ZIP: Final = (b"PK\3\4", b"PK\5\6")
_MARKS: Final = b"\xef\xbb\xbf\xff\xfe\0"
"""Byte order marks, and the zero bytes of UTF-16."""
_json = re.compile(rb'\s*(?:\{|\[\s*(?:[\[{\]"]|\Z))').match
"""The beginnings of objects and arrays, as opposed to a heading in brackets."""
_NAMES: Final[dict[Format, str]] = {
    "csv": "CSV",
    "xlsx": "an .xlsx workbook",
    "ndjson": "NDJSON",
    "ods": "an OpenDocument spreadsheet",
}


def find_form(file: BinaryIO, declared: Format | None) -> Format:
    """The format, "xlsx" for any workbook; UnsupportedFileError for others, or if it is not `declared`."""
    start = file.read(4096)
    text = start.translate(None, _MARKS)
    foreign.refuse(file, start, text)
    file.seek(0)
    is_workbook = start.startswith(_ZIP)
    if declared is not None and is_workbook != (declared in ("xlsx", "ods")):
        raise UnsupportedFileError(
            f"The file is declared as {_NAMES[declared]}, and it is {'a' if is_workbook else 'no'} workbook: "
            "leave format out, or send what it says."
        )
    if is_workbook:
        return "xlsx"
    return declared or ("ndjson" if _json(text) else "csv")


def check_workbook(form: Format, declared: Format | None) -> None:
    """UnsupportedFileError for another kind of workbook than `declared`."""
    if declared not in (None, form):
        raise UnsupportedFileError(
            f"The file is declared as {_NAMES[declared]}, and it is {_NAMES[form]}: "
            "leave format out, or send what it says."
        )
