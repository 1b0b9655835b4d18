"""Which kind of file it is, by its first bytes; its name may say anything."""

import re
from typing import BinaryIO, Final

from app.core.errors import UnsupportedFileError
from app.spreadsheets.reading import foreign
from models.export import Format

_ZIP: Final = (b"PK\3\4", b"PK\5\6")
_MARKS: Final = b"\xef\xbb\xbf\xff\xfe\0"
"""Bytes of byte order marks, and those that UTF-16 has beside ASCII."""
_json = re.compile(rb'\s*(?:\{|\[\s*(?:[\[{\]"]|\Z))').match
"""How objects begin, and arrays, other than a heading in brackets."""
_NAMES: Final[dict[Format, str]] = {
    "csv": "CSV",
    "xlsx": "an .xlsx workbook",
    "ndjson": "NDJSON",
    "ods": "an OpenDocument spreadsheet",
}


def find_form(file: BinaryIO, said: Format | None) -> Format:
    """The form, "xlsx" of any workbook; UnsupportedFileError for what is none, or another than was said."""
    start = file.read(4096)
    text = start.translate(None, _MARKS)
    foreign.refuse(file, start, text)
    file.seek(0)
    is_workbook = start.startswith(_ZIP)
    if said is not None and is_workbook != (said in ("xlsx", "ods")):
        raise UnsupportedFileError(
            f"The file is said to be {_NAMES[said]}, and it is {'a' if is_workbook else 'no'} workbook: "
            "leave format out, or send what it says."
        )
    if is_workbook:
        return "xlsx"
    return said or ("ndjson" if _json(text) else "csv")


def check_workbook(form: Format, said: Format | None) -> None:
    """UnsupportedFileError for another kind of workbook than was said."""
    if said not in (None, form):
        raise UnsupportedFileError(
            f"The file is said to be {_NAMES[said]}, and it is {_NAMES[form]}: "
            "leave format out, or send what it says."
        )
