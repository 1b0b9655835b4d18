"""Texts in cells of workbooks of any kind."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST_TEXT: Final = 32_767
"""The most UTF-16 units of a cell."""

_half_pair = re.compile("[\ud800-\udfff]")


def fit(text: str) -> str:
    """The text without lone surrogates, cut to the length of a cell."""
    text = _half_pair.sub("", text)
    if len(text) <= LONGEST_TEXT // 2:
        return text
    units = text.encode("utf-16-le")[: 2 * LONGEST_TEXT]
    return units.decode("utf-16-le", "ignore")  # also half a pair at the cut


def escape(text: str) -> str:
    """The text as character data of XML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")  # otherwise it would be read as a line feed


def are_plain(values: Sequence[str | None], marks: Iterable[str]) -> bool:
    """
    Whether all texts need no escapes in XML; may say no if they need none.

    `marks`: texts that must not be in them; `|` in a mark is the begin or end of a text.
    """
    texts = [text for text in values if text]
    every = f"|{'|'.join(texts)}|"
    return (
        every.isprintable()  # no control, no surrogate, no white space but " "
        and not any(mark in every for mark in marks)
        and (len(every) < LONGEST_TEXT // 2 or max(map(len, texts)) < LONGEST_TEXT // 2)
    )
