"""Reads a workbook's XML as a stream with expat, without entities and doctypes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from xml.parsers import expat

from app.core.errors import UnreadableFileError

MAIN: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
"""The namespaces of the conformance classes: transitional, the usual one, and strict."""
RELATION: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
PACKAGE_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"

LONGEST_TOKEN: Final = 2**20
"""The most bytes of a tag or comment, which expat keeps in memory."""
_MOST_ELEMENTS: Final = 200_000

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Characters = Callable[[str], None]
Elements = list[tuple[str, dict[str, str]]]


class Parser:
    """Parses one part of a workbook. Names are `namespace local`; doctypes, and so entities, are refused."""

    def __init__(
        self, part: str, start: Start, end: End | None = None, characters: Characters | None = None
    ) -> None:
        self._fed = 0
        self._part = part
        self._expat = expat.ParserCreate(namespace_separator=" ")
        self._expat.buffer_text = True
        self._expat.buffer_size = 2**16
        self._expat.StartDoctypeDeclHandler = self._refuse
        self._expat.EntityDeclHandler = self._refuse
        self._expat.StartElementHandler = start
        self._expat.EndElementHandler = end
        self._expat.CharacterDataHandler = characters

    def feed(self, block: bytes) -> None:
        self._parse(block, is_last=False)
        self._fed += len(block)
        if self._fed - max(self._expat.CurrentByteIndex, 0) > LONGEST_TOKEN:
            raise UnreadableFileError(
                f"The workbook's part {self._part} has a tag of over {LONGEST_TOKEN:,} bytes."
            )

    def close(self) -> None:
        self._parse(b"", is_last=True)

    def _parse(self, block: bytes, *, is_last: bool) -> None:
        try:
            self._expat.Parse(block, is_last)
        except expat.ExpatError as error:
            raise unsound(self._part, f" (line {error.lineno})") from None

    def _refuse(self, *_: Any) -> None:
        raise UnreadableFileError(
            f"The workbook's part {self._part} declares a document type: no spreadsheet does."
        )


def unsound(part: str, where: str = "") -> UnreadableFileError:
    return UnreadableFileError(
        f"The workbook's part {part} is not sound XML{where}: save the workbook again."
    )


def elements(part: str, blocks: Iterable[bytes], names: Mapping[str, str]) -> Elements:
    """The start tags of these names in order, each under the name that it is mapped to."""
    found: Elements = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name in names:
            found.append((names[name], attributes))
        if len(found) > _MOST_ELEMENTS:
            raise UnreadableFileError(f"The workbook's part {part} is longer than any spreadsheet's.")

    parser = Parser(part, start)
    for block in blocks:
        parser.feed(block)
    parser.close()
    return found


def main_names(*locals_: str) -> dict[str, str]:
    """The names of elements of both main namespaces, mapped to the bare name."""
    return {f"{namespace} {local}": local for namespace in MAIN for local in locals_}
