"""Lists of texts in a cell, such as tags: in our form, and as people and programs write them."""

import re
from collections.abc import Sequence
from typing import Final

import orjson

from app.core import strict_json
from app.core.errors import MalformedJSONError

_BRACKETS: Final = {"[": "]", "{": "}", "(": ")"}
"""Of the lists of JSON and Python, the arrays of PostgreSQL and Python's sets, and tuples."""
_QUOTES: Final = "\"'"
_AMBIGUOUS: Final = frozenset(_QUOTES).union(_BRACKETS)
_separators = re.compile(r"[,;\r\n]")
_quoted = re.compile(r"""(["'])(.*)\1""").fullmatch


class BrokenListError(Exception):
    """The list lacks a bracket or a quote, or has items that are no texts."""


def join(items: Sequence[str]) -> str:
    """The items between commas; as JSON where the first one looks like the beginning of a list."""
    text = ",".join(items)
    return orjson.dumps(items).decode() if text and text[0] in _AMBIGUOUS else text


def split(text: str) -> list[str]:
    """The items between commas, semicolons or line breaks, or of a list of JSON, Python or PostgreSQL.

    BrokenListError for an incomplete list. For items without separators, `split(join(items)) == items`.
    """
    text = text.strip()
    if not text or text[0] not in _AMBIGUOUS:
        return _cut(text)
    if (items := _parse(text)) is not None:
        return items
    items = _cut(text)
    closing = _BRACKETS.get(text[0])
    inner = items[0][1:].lstrip()
    if closing is None or (closing in inner and inner[0] not in _QUOTES + closing):
        return _unquote(items, strays="'")  # which may begin a word
    if text[-1] != closing:
        raise BrokenListError
    return _unquote(_cut(text[1:-1]))


def _parse(text: str) -> list[str] | None:
    """The items of a JSON array of texts and numbers; None if it is no array."""
    try:
        items = strict_json.parse(text.encode("utf-8", "replace"))
    except MalformedJSONError:
        return None
    if not isinstance(items, list):
        return None
    if any(type(item) not in (str, int, float) for item in items):
        raise BrokenListError
    return [text for item in items if (text := str(item).strip())]


def _cut(text: str) -> list[str]:
    return [item for part in _separators.split(text) if (item := part.strip())]


def _unquote(items: list[str], *, strays: str = "") -> list[str]:
    """The items without quotes, if all are quoted. Otherwise only `strays` may begin an item."""
    if all(map(_quoted, items)):
        return [item[1:-1] for item in items if len(item) > len("''")]
    if any(item[0] in _QUOTES and item[0] not in strays for item in items):
        raise BrokenListError
    return items
