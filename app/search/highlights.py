"""Where in a user's own text the words of a query stand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.search.matching import Needle
from app.search.words import Word, split

Ranges = list[list[int]]


def highlight(row: Mapping[str, Any], needles: Sequence[Needle]) -> dict[str, Ranges]:
    """Path of each field that matched: the ranges (code points, end past the last) of what matched in it.

    A name found by its pinyin or its words joined is marked as a whole.
    """
    found: dict[str, Ranges] = {}
    for path, text in _texts(row):
        words = split(text)
        ranges = [[word.start, word.end] for word in words if _is_meant(word.text, needles)]
        ranges = ranges or _runs(words, needles)
        if ranges:
            found[path] = ranges
    if not found and row.get("name"):
        found["name"] = [[0, len(row["name"])]]
    return found


def _texts(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    profile = row.get("profile") or {}
    texts: dict[str, Any] = {name: row.get(name) for name in ("name", "username", "email", "phone")}
    texts |= {f"profile.{name}": profile.get(name) for name in ("title", "department")}
    texts |= {f"tags.{place}": tag for place, tag in enumerate(row.get("tags") or ())}
    for place, address in enumerate(profile.get("addresses") or ()):
        texts[f"profile.addresses.{place}.city"] = address.get("city")
    return ((path, text) for path, text in texts.items() if text)


def _is_meant(text: str, needles: Sequence[Needle]) -> bool:
    postings = {letter + text for letter in "ner"}
    return any(
        postings & needle.exact
        or postings & needle.near.keys()
        or (needle.prefixes and text.startswith(needle.word))
        for needle in needles
    )


def _runs(words: Sequence[Word], needles: Sequence[Needle]) -> Ranges:
    """Parts of a run of characters: a character is a code point, folded or not."""
    ranges: Ranges = []
    for needle in needles:
        for posting in needle.exact:
            for word in words:
                at = word.text.find(posting[1:])
                if not posting[1:].isascii() and at >= 0 and len(word.text) == word.end - word.start:
                    ranges.append([word.start + at, word.start + at + len(posting) - 1])
    return [list(one) for one in sorted({(start, end) for start, end in ranges})]
