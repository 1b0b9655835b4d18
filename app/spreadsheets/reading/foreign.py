"""Kinds of file that are not read: what each is called, and what to send in its place."""

import re
from collections.abc import Iterable
from typing import BinaryIO, Final

import orjson

from app.core.errors import UnsupportedFileError
from app.spreadsheets.reading import compound

SAVE_AS: Final = "save it as an .xlsx workbook or as CSV."
_OPEN: Final = f"open it in a spreadsheet program, and {SAVE_AS}"
TABLE: Final = "send the table itself, as an .xlsx workbook or as CSV."
UNPACK: Final = "unpack it, and send the file that it holds."
_FOLLOW: Final = "open what it leads to, download it as an .xlsx workbook or as CSV, and send that."

Kind = tuple[str, str, str]
"""A pattern of the first bytes or of a part's name, what the file is, and what to do."""
_BYTES: Final[tuple[Kind, ...]] = (
    (r"%PDF-", "a PDF document", TABLE),
    (r"\x1f\x8b", "compressed by gzip", UNPACK),
    (r"BZh[1-9]1AY", "compressed by bzip2", UNPACK),
    (r"\xfd7zXZ\0", "compressed by xz", UNPACK),
    (r"\x28\xb5\x2f\xfd", "compressed by Zstandard", UNPACK),
    (r"7z\xbc\xaf", "a 7z archive", UNPACK),
    (r"Rar!\x1a", "a RAR archive", UNPACK),
    (r".{257}ustar", "a tar archive", UNPACK),
    (r"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|BM.{4}\0{4}", "a picture", TABLE),
    (r"RIFF.{4}WEBP|.{4}ftyp(?:hei|mif1|avif)", "a picture", TABLE),
    (r"\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00", "an old workbook (.xls)", _OPEN),
    (r"L\0{3}\x01\x14\x02\0", "a shortcut to another file", _FOLLOW),
)
_TEXTS: Final[tuple[Kind, ...]] = (
    (
        r"(?=<).*?(?:<(?:\w+:)?Workbook\b[^>]*office:spreadsheet|progid=.Excel\.Sheet)",
        "an XML spreadsheet of Excel 2003, which some programs name .xls",
        _OPEN,
    ),
    (r"(?=<).*?<office:document\b", "a flat OpenDocument file (.fods)", _OPEN),
    (r"(?=<).*?<svg\b", "a picture", TABLE),
    (r"(?=<).*?<key>URL\b|\[InternetShortcut\]", "a shortcut to a web page", _FOLLOW),
    (
        r"<!doctype html|(?=<).*?<(?:html|head|body|table|meta|style)\b|MIME-Version:",
        "a web page (HTML), which some programs name .xls",
        _OPEN,
    ),
    (r"<\?xml", "an XML document", TABLE),
    (r"\{\\rtf", "a text document (.rtf)", TABLE),
    (r"ID;P(?:WXL|S?CALC)", "an old SYLK spreadsheet (.slk)", _OPEN),
    (r"BEGIN:VCARD", "a file of contact cards (vCard)", "export the contacts as CSV."),
)
"""Of what is left of the first bytes without white space before it."""
_PARTS: Final[tuple[Kind, ...]] = (
    (r".*\.iwa|(?:.*/)?index\.(?:zip|apxl)", "a document of Apple's Numbers, Pages or Keynote",
     "export it to Excel or CSV by the program's menu."),
    (r"word/document", "a text document (.docx)", TABLE),
    (r"ppt/presentation", "a presentation (.pptx)", TABLE),
    (r"xl/workbook\.bin", "a binary workbook (.xlsb)", _OPEN),
)  # fmt: skip
"""Of names in a ZIP archive, in lower case."""
_STREAMS: Final[tuple[Kind, ...]] = (
    ("EncryptedPackage", "encrypted", f"take its password off, and {SAVE_AS}"),
    ("Workbook|Book", "an old workbook (.xls)", _OPEN),
    ("WordDocument", "a text document (.doc)", TABLE),
    ("PowerPoint Document", "a presentation (.ppt)", TABLE),
    ("", "an old document of Microsoft Office or the like", _OPEN),
)
_DRIVE_KEYS: Final = frozenset({"", "doc_id", "email", "resource_key", "url"})


def refuse(file: BinaryIO, start: bytes, text: bytes) -> None:
    """UnsupportedFileError by its first bytes, and by the same without what is no text."""
    if start.startswith(compound.MAGIC):
        error = _find(_STREAMS, compound.stream_names(file))
    else:
        error = _find(_BYTES, [start.decode("latin-1")]) or _find(_TEXTS, [text.decode("latin-1").lstrip()])
    if error is not None:
        raise error
    if _is_drive_link(text):
        raise UnsupportedFileError(f"The file is a link to Google Drive (.gsheet), and no table: {_FOLLOW}")


def refuse_archive(names: Iterable[str]) -> None:
    """UnsupportedFileError for a ZIP archive of these parts that is a document of another kind."""
    if error := _find(_PARTS, names):
        raise error


def _find(kinds: tuple[Kind, ...], texts: Iterable[str]) -> UnsupportedFileError | None:
    texts = list(texts)
    for pattern, what, instead in kinds:
        if any(re.match(pattern, text, re.DOTALL | re.IGNORECASE) for text in texts):
            return UnsupportedFileError(f"The file is {what}: {instead}")
    return None


def _is_drive_link(text: bytes) -> bool:
    """Whether it is what Google Drive keeps on a disk in place of a document: its id and an e-mail."""
    try:
        link = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return (
        isinstance(link, dict)
        and link.keys() <= _DRIVE_KEYS
        and ("doc_id" in link or "google.com/" in str(link.get("url")))
    )
