"""Reads a sheet of an OpenDocument spreadsheet as a table."""

from dataclasses import dataclass, field
from typing import Final

from app.core.errors import UnsupportedFileError
from app.spreadsheets.reading import foreign, markup
from app.spreadsheets.reading.archive import Archive
from app.spreadsheets.reading.ods_scanner import Scanner
from app.spreadsheets.reading.ods_values import STYLE, TABLE, TEXT
from app.spreadsheets.reading.sheet_choice import Tables, find_candidates, read_table
from app.spreadsheets.reading.values import Choices, Limits
from app.spreadsheets.reading.workbook import Sheet

CONTENT: Final = "content.xml"
_TABLE, _STYLE, _TEXT = (namespace.strip("{}") for namespace in (TABLE, STYLE, TEXT))
_MANIFEST: Final = "META-INF/manifest.xml"
_SPREADSHEET: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_OTHERS: Final = {
    b".text": "text document (.odt)",
    b".presentation": "presentation (.odp)",
    b".graphics": "drawing (.odg)",
}
_ENCRYPTION: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0 encryption-data"
_IN_SPREADSHEET: Final = 3
_IN_STYLES: Final = 2


def read(archive: Archive, limits: Limits, choices: Choices) -> Tables:
    _check(archive)
    found = _Listing().read(archive)
    candidates = find_candidates(found.sheets, choices.sheet)
    filled = [sheet for sheet in candidates if sheet.part in found.filled] or candidates[:1]
    return read_table(
        found.sheets,
        filled,
        lambda sheet, hidden: Scanner(CONTENT, int(sheet.part), limits, hidden).read(archive.stream(CONTENT)),
        limits,
        choices,
    )


def _check(archive: Archive) -> None:
    kind = next(archive.stream("mimetype"), b"").strip() if "mimetype" in archive else _SPREADSHEET
    if not kind.startswith(_SPREADSHEET):
        what = next((what for part, what in _OTHERS.items() if part in kind), "document, but no spreadsheet")
        raise UnsupportedFileError(f"The file is an OpenDocument {what}: {foreign.TABLE}")
    if _MANIFEST in archive and markup.elements(
        _MANIFEST, archive.stream(_MANIFEST), {_ENCRYPTION: "encrypted"}
    ):
        raise UnsupportedFileError("The spreadsheet is encrypted: save it again without a password.")


@dataclass(slots=True)
class _Listing:
    """Lists the sheets of a document, with their places, and those with some text."""

    sheets: list[Sheet] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)
    _depth: int = 0
    _style: str = ""
    _hidden: set[str] = field(default_factory=set)

    def read(self, archive: Archive) -> "_Listing":
        parser = markup.Parser(CONTENT, self._start, self._end)
        for block in archive.stream(CONTENT):
            parser.feed(block)
        parser.close()
        return self

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == _IN_SPREADSHEET and name == f"{_TABLE} table":
            style = attributes.get(f"{_TABLE} style-name", "")
            title, part = attributes.get(f"{_TABLE} name", ""), str(len(self.sheets))
            self.sheets.append(Sheet(title, part, style not in self._hidden))
        elif name == _PARAGRAPH and self.sheets:
            self.filled.add(self.sheets[-1].part)
        elif self._depth == _IN_STYLES and name == f"{_STYLE} style":
            self._style = attributes.get(f"{_STYLE} name", "")
        elif name == _PROPERTIES and attributes.get(f"{_TABLE} display") == "false":
            self._hidden.add(self._style)
        self._depth += 1

    def _end(self, _: str) -> None:
        self._depth -= 1


_PARAGRAPH: Final = f"{_TEXT} p"
_PROPERTIES: Final = f"{_STYLE} table-properties"
