"""What a cell of a workbook can hold of a text, whichever kind of workbook it is."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST_TEXT: Final = 32_767
"""UTF-16 units that a cell holds."""

_half_pair = re.compile("[\ud800-\udfff]")


def fit(text: str) -> str:
    """The text without halves of pairs, which no file can hold, and no longer than a cell."""
    text = _half_pair.sub("", text)
    if len(text) <= LONGEST_TEXT // 2:
        return text
    units = text.encode("utf-16-le")[: 2 * LONGEST_TEXT]
    return units.decode("utf-16-le", "ignore")  # half a pair at the cut goes as well


def escape(text: str) -> str:
    """As character data of XML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")  # a bare one would be read as a line feed


def are_plain(values: Sequence[str | None], marks: Iterable[str]) -> bool:
    """
    Whether all texts can stand in XML as they are; may say no when they can.

    `marks`: what must not be in them; `|` in a mark is where a text begins or ends.
    """
    texts = [text for text in values if text]
    every = f"|{'|'.join(texts)}|"
    return (
        every.isprintable()  # no control, no surrogate, no white space but " "
        and not any(mark in every for mark in marks)
        and (len(every) < LONGEST_TEXT // 2 or max(map(len, texts)) < LONGEST_TEXT // 2)
    )
