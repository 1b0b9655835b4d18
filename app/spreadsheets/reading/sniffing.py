"""Which kind of file it is, by its first bytes; its name may say anything."""

import re
from typing import BinaryIO, Final

from app.core.errors import UnsupportedFileError
from models.export import Format

_ZIP: Final = (b"PK\3\4", b"PK\5\6")
_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKS: Final = b"\xef\xbb\xbf\xff\xfe\0"
"""Bytes of byte order marks, and those that UTF-16 has beside ASCII."""
_FOREIGN: Final = {
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "compressed by gzip",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"<?xml": "XML, as .fods and .xml files of spreadsheets are",
}
_json = re.compile(rb'\s*(?:\{|\[\s*(?:[\[{\]"]|\Z))').match
"""How objects begin, and arrays, other than a heading in brackets."""
_SAVE_AS: Final = "save it as an .xlsx workbook or as CSV."
_NAMES: Final[dict[Format, str]] = {
    "csv": "CSV",
    "xlsx": "an .xlsx workbook",
    "ndjson": "NDJSON",
    "ods": "an OpenDocument spreadsheet",
}


def find_form(file: BinaryIO, said: Format | None) -> Format:
    """The form, "xlsx" of any workbook; UnsupportedFileError for what is none, or another than was said."""
    start = file.read(4096)
    file.seek(0)
    if start.startswith(_OLE2):
        raise UnsupportedFileError(
            f"The file is an old workbook (.xls) or an encrypted one: take its password off, and {_SAVE_AS}"
        )
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise UnsupportedFileError(f"The file is {what}: {_SAVE_AS}")
    is_workbook = start.startswith(_ZIP)
    if said is not None and is_workbook != (said in ("xlsx", "ods")):
        raise UnsupportedFileError(
            f"The file is said to be {_NAMES[said]}, and it is {'a' if is_workbook else 'no'} workbook: "
            f"{_SAVE_AS}"
        )
    if is_workbook:
        return "xlsx"
    return said or ("ndjson" if _json(start.translate(None, _MARKS)) else "csv")


def check_workbook(form: Format, said: Format | None) -> None:
    """UnsupportedFileError for another kind of workbook than was said."""
    if said not in (None, form):
        raise UnsupportedFileError(f"The file is said to be {_NAMES[said]}, and it is {_NAMES[form]}.")
