"""XML of a workbook, read as a stream by expat, without anything that XML can be made to do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from xml.parsers import expat

from app.errors import UnreadableFileError

MAIN: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
"""The namespaces of the two conformance classes: transitional, which everybody writes, and strict."""
RELATION: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
PACKAGE_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"

LONGEST_TOKEN: Final = 2**20
"""Bytes of one tag or comment, which expat must hold whole."""

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Elements = list[tuple[str, dict[str, str]]]


def parser(part: str) -> "expat.XMLParserType":
    """Names come as `namespace local`. Doctypes, and with them entities, are refused."""
    made = expat.ParserCreate(namespace_separator=" ")
    made.buffer_text = True
    made.buffer_size = 2**16

    def refuse(*_: Any) -> None:
        raise UnreadableFileError(
            f"The workbook's part {part} declares a document type: no spreadsheet does."
        )

    made.StartDoctypeDeclHandler = refuse
    made.EntityDeclHandler = refuse
    return made


def feed(made: "expat.XMLParserType", part: str, blocks: Iterable[bytes]) -> Iterator[None]:
    """Parses block by block; after each the handlers have seen what there is to see."""
    fed = 0
    try:
        for block in blocks:
            made.Parse(block, False)  # noqa: FBT003 - expat's own signature
            fed += len(block)
            if fed - max(made.CurrentByteIndex, 0) > LONGEST_TOKEN:
                raise UnreadableFileError(
                    f"The workbook's part {part} has a tag of over {LONGEST_TOKEN:,} bytes."
                )
            yield
        made.Parse(b"", True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as error:
        raise UnreadableFileError(
            f"The workbook's part {part} is not sound XML (line {error.lineno}): save the workbook again."
        ) from None
    yield


def elements(part: str, xml: bytes, names: Mapping[str, str]) -> Elements:
    """The start tags of these names, each under the shorter name it is mapped to, in their order."""
    found: Elements = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name in names:
            found.append((names[name], attributes))

    made = parser(part)
    made.StartElementHandler = start
    for _ in feed(made, part, [xml]):
        pass
    return found


def main_names(*locals_: str) -> dict[str, str]:
    """Elements of either main namespace, by their bare name."""
    return {f"{namespace} {local}": local for namespace in MAIN for local in locals_}
