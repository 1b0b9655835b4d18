"""The text of a cell of an OpenDocument spreadsheet, as it is shown.

Elements without meaning for it are passed over: comments, pictures, tables within cells.
"""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from app.spreadsheets.reading.ods_values import TEXT

_PARAGRAPH: Final = f"{TEXT}p"
_SPACES: Final = f"{TEXT}s"
_MOST_DIGITS: Final = 5
_BREAKS: Final = {f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
_INLINE: Final = frozenset(
    f"{TEXT}{name}"
    for name in (
        "span", "a", "meta", "ruby", "ruby-base", "date", "time", "sheet-name", "title", "file-name",
    )
)  # fmt: skip


class TooLongError(Exception):
    """The text has more characters than are read."""


def read(cell: Element, longest: int) -> str:
    """The text of the paragraphs; TooLongError past `longest` characters."""
    texts = []
    for paragraph in cell:
        if paragraph.tag == _PARAGRAPH:
            texts.append(_join(_walk(paragraph), longest))
            longest -= len(texts[-1])
    return "\n".join(texts)


def _join(found: Iterator[tuple[str, bool]], longest: int) -> str:
    pieces: list[str] = []
    for piece, is_fixed in found:
        # White space collapses (OpenDocument 1.3, part 3, 6.1.2), except a return.
        collapses = not is_fixed and ("\n" in piece or "\t" in piece or "  " in piece or piece[0] == " ")
        pieces.append(_collapse(piece, is_first=not pieces) if collapses else piece)
        longest -= len(pieces[-1])
        if longest < 0:
            raise TooLongError
    return "".join(pieces)


def _walk(element: Element) -> Iterator[tuple[str, bool]]:
    """Yields the texts in an element, and whether each stands for white space that does not collapse."""
    if element.text:
        yield element.text, False
    for child in element:
        if child.tag == _SPACES:
            said = child.get(f"{TEXT}c", "1")
            yield " " * (int(said) if said.isdecimal() and len(said) <= _MOST_DIGITS else 1), True
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag], True
        elif child.tag in _INLINE:
            yield from _walk(child)
        if child.tail:
            yield child.tail, False


def _collapse(text: str, *, is_first: bool) -> str:
    words = [word for word in text.replace("\n", " ").replace("\t", " ").split(" ") if word]
    first = " " if text[0] in " \n\t" and not is_first else ""
    last = " " if words and text[-1] in " \n\t" else ""
    return f"{first}{' '.join(words)}{last}"
