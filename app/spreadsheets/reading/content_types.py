"""The declared content types of a workbook's parts, by name or ending."""

from typing import Final

from app.core.errors import UnsupportedFileError
from app.spreadsheets.reading import markup
from app.spreadsheets.reading.archive import Archive

_PART: Final = "[Content_Types].xml"
_NAMESPACE: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_NAMES: Final = {f"{_NAMESPACE} Override": "part", f"{_NAMESPACE} Default": "ending"}
_MACROS: Final = ("macroenabled", "macrosheet", "vbaproject")


def refuse_macros(archive: Archive) -> None:
    """UnsupportedFileError if a part has a type of macros.

    Types without a part do not count: SheetJS declares one for `.bin` in every workbook.
    """
    by_part: dict[str, str] = {}
    by_ending: dict[str, str] = {}
    for kind, attributes in markup.elements(_PART, archive.stream(_PART), _NAMES):
        declared = attributes.get("ContentType", "").lower()
        if kind == "part":
            by_part[attributes.get("PartName", "").lstrip("/").lower()] = declared
        else:
            by_ending[attributes.get("Extension", "").lower()] = declared
    for name in archive:
        declared = by_part.get(name) or by_ending.get(name.rpartition(".")[2], "")
        if any(word in declared for word in _MACROS):
            raise UnsupportedFileError(
                "The workbook contains macros: save it as an .xlsx workbook without them."
            )
