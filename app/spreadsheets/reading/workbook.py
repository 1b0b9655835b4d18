"""The structure of a workbook: its sheets, its shared strings, and the styles of dates."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.core.errors import UnsupportedFileError
from app.spreadsheets.reading import content_types, markup
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.number_formats import BUILT_IN

_DATE_FORMATS: Final = frozenset((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59), *range(71, 82)))
"""Number formats of ECMA-376, 18.8.30, that show a time, East Asian and Thai ones included."""
_SHOWS_ALL: Final = frozenset({"", "@", "general", "standard"})
_not_shown = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_elapsed = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_moment = re.compile(r"[dmyhs]", re.IGNORECASE)

Relations = dict[str, tuple[str, str]]
"""Type and target by id, without external ones."""


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    part: str
    is_visible: bool


@dataclass(frozen=True, slots=True)
class Workbook:
    sheets: list[Sheet]
    strings: str | None
    """The part of the shared strings."""
    dates: frozenset[int]
    """Styles (indexes into `cellXfs`) whose numbers are times."""
    from_1904: bool
    formats: dict[int, str] = field(default_factory=dict)
    """Format codes of the styles that show a number differently."""


def read(archive: Archive) -> Workbook:
    part = _find_workbook(archive)
    relations = _relations(archive, part)
    found = markup.elements(
        part, archive.stream(part), markup.main_names("sheet", "workbookPr") | markup.main_names("sheets")
    )
    settings = next((attributes for name, attributes in found if name == "workbookPr"), {})
    sheets = [
        sheet
        for name, attributes in found
        if name == "sheet" and (sheet := _sheet(attributes, relations)) is not None
    ]
    part = _find(relations, "styles") or ""
    styles = _read_styles(part, archive.stream(part)) if part in archive else []
    return Workbook(
        sheets,
        _find(relations, "sharedStrings"),
        frozenset(style for style, code in enumerate(styles) if code is None),
        from_1904=settings.get("date1904") in {"1", "true"},
        formats={style: code for style, code in enumerate(styles) if code},
    )


def is_moment(code: str) -> bool:
    """Whether a number format shows a date or a time of day; an elapsed time is a number."""
    section = _not_shown.sub("", code).split(";")[0]
    return not _elapsed.search(section) and bool(_moment.search(section))


def _find_workbook(archive: Archive) -> str:
    content_types.refuse_macros(archive)
    part = _find(_relations(archive, ""), "officeDocument")
    if part is None or part not in archive:
        raise UnsupportedFileError("The file is not a workbook: save it as an .xlsx workbook or as CSV.")
    return part


_RELATIONSHIP: Final = {f"{markup.PACKAGE_RELATIONS} Relationship": "relation"}


def _relations(archive: Archive, part: str) -> Relations:
    """The relations of a part, or of the whole package."""
    folder, name = posixpath.split(part)
    where = posixpath.join(folder, "_rels", f"{name}.rels")
    if where not in archive:
        return {}
    found = markup.elements(where, archive.stream(where), _RELATIONSHIP)
    return {
        attributes.get("Id", ""): (
            attributes.get("Type", ""),
            posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/"),
        )
        for _, attributes in found
        if attributes.get("TargetMode") != "External"
    }


def _find(relations: Relations, kind: str) -> str | None:
    types = {f"{base}/{kind}" for base in markup.RELATION}
    return next((target for type_, target in relations.values() if type_ in types), None)


def _sheet(attributes: dict[str, str], relations: Relations) -> Sheet | None:
    """A worksheet; None for a chart, a dialogue or a sheet of macros."""
    ids = (attributes.get(f"{base} id") for base in markup.RELATION)
    kind, target = relations.get(next((id_ for id_ in ids if id_), ""), ("", ""))
    if not kind.endswith("/worksheet"):
        return None
    return Sheet(attributes.get("name", ""), target, attributes.get("state", "visible") == "visible")


def _read_styles(part: str, xml: Iterable[bytes]) -> list[str | None]:
    """The number format of each style: None for a time, empty where values are shown as they are."""
    names = markup.main_names("numFmt", "cellXfs", "cellStyleXfs", "dxfs", "cellStyles", "xf")
    codes: dict[int, str | None] = BUILT_IN | dict.fromkeys(_DATE_FORMATS)
    styles: list[str | None] = []
    within = ""
    for name, attributes in markup.elements(part, xml, names):
        number = _number(attributes.get("numFmtId"))
        match name:
            case "numFmt":
                code = attributes.get("formatCode", "")
                plain = code.strip().lower() in _SHOWS_ALL
                codes[number] = "" if plain else None if is_moment(code) else code
            case "xf" if within == "cellXfs":
                styles.append(codes.get(number, ""))
            case _:
                within = name if name != "xf" else within
    return styles


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else -1
