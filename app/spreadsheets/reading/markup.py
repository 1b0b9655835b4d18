"""Reads a workbook's XML as a stream with expat, without entities and doctypes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
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
LONGEST_ELEMENT: Final = 2**21
"""The most bytes of a tree that are kept in memory without a complete element among them."""
_MOST_ELEMENTS: Final = 200_000
_DAMAGE: Final = (expat.ExpatError, ParseError, LookupError, ValueError)
"""The last two for an encoding that is unknown or has several bytes a character."""

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Elements = list[tuple[str, dict[str, str]]]


class Parser:
    """Parses one part of a workbook. Names are `namespace local`; doctypes, and so entities, are refused."""

    def __init__(self, part: str, start: Start | None = None, end: End | None = None) -> None:
        self._fed = 0
        self._part = part
        self._expat = expat.ParserCreate(namespace_separator=" ")
        self._expat.StartDoctypeDeclHandler = self._refuse
        self._expat.EntityDeclHandler = self._refuse
        self._expat.StartElementHandler = start
        self._expat.EndElementHandler = end

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
        except _DAMAGE as error:
            raise unsound(self._part, f" (line {getattr(error, 'lineno', 1)})") from None

    def _refuse(self, *_: Any) -> None:
        raise UnreadableFileError(
            f"The workbook's part {self._part} declares a document type: no spreadsheet does."
        )


class Tree:
    """A tree that grows block by block, while complete elements are taken off. Names are `{namespace}local`.

    It is made in C: handlers of expat in Python would take half of the time of a cell.
    """

    def __init__(self, part: str) -> None:
        builder = TreeBuilder()
        self.top = builder.start("", {})
        """Around the root."""
        self._part = part
        self._parser = XMLParser(target=builder)  # noqa: S314 - entities are refused by the other one
        self._prolog = Parser(part)
        self._is_whole = False
        self._waiting = 0

    def grow(self, blocks: Iterable[bytes]) -> Iterator[None]:
        """Grow by each block in turn, then end."""
        try:
            for block in blocks:
                if not len(self.top):  # a doctype stands before the root
                    self._prolog.feed(block)
                self._parser.feed(block)
                self._waiting += len(block)
                yield
            self._parser.close()
        except _DAMAGE as error:
            raise unsound(self._part, f" (line {getattr(error, 'position', [1])[0]})") from None
        self._is_whole = True
        yield

    @property
    def is_stuck(self) -> bool:
        """Whether too much came since an element was taken."""
        return self._waiting > LONGEST_ELEMENT

    def take(self, parent: Element, *, is_whole: bool = False) -> list[Element]:
        """Take the complete children out of an element: all but the last, unless it is complete itself."""
        children = parent[:] if is_whole or self._is_whole else parent[:-1]
        if children:
            self._waiting = 0
            del parent[: len(children)]
        return children

    def drop(self, element: Element) -> None:
        """Take what is complete anywhere in an element, which nobody reads."""
        while len(element):
            self.take(element)
            element = element[0] if len(element) else element


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


def main_tags(*locals_: str) -> frozenset[str]:
    """The same names in a tree."""
    return frozenset(f"{{{namespace}}}{local}" for namespace in MAIN for local in locals_)
