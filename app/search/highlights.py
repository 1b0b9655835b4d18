"""Highlights: where the words of a query stand in a user's text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.normalise import typed_email_key
from app.search.matching import EXACT, Pattern
from app.search.postings import index
from app.search.query_parser import Query
from app.search.words import Word, fold, runs, script, split
from models.user import SEARCHED

Ranges = list[list[int]]

_LONGEST = 512
"""Characters of a field that are searched: no field is indexed further."""


@dataclass(frozen=True, slots=True)
class _Text:
    path: str
    field: str
    """The field's name in the query language."""
    content: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A range of text: a word, or a whole field that matches only as one."""

    path: str
    start: int
    end: int


def highlight(row: Mapping[str, Any], query: Query, patterns: Sequence[Pattern]) -> dict[str, Ranges]:
    """The matching ranges (code points, end exclusive) of each field, by its path.

    Each word of the query is marked where it matches best. A field found by its pinyin or by its words joined
    is marked as a whole. Fields that the row does not hold are left out.
    """
    found: set[_Part] = set()
    texts = list(_texts(row))
    for pattern in patterns:
        met = [(kind, part) for text in texts for kind, part in _meets(pattern, text)]
        best = min((kind for kind, _ in met), default=EXACT)
        found |= {part for kind, part in met if kind == best}
    for text in texts:
        found |= {_Part(text.path, start, end) for start, end in _told(text, query)}
        found |= {_Part(text.path, start, end) for start, end in _runs(text, query)}
    return {
        text.path: ranges
        for text in texts
        if (ranges := sorted([part.start, part.end] for part in found if part.path == text.path))
    }


def _texts(row: Mapping[str, Any]) -> Iterator[_Text]:
    for name, field in SEARCHED.items():
        for path, text in _walk(row, field.path):
            yield _Text(path, name, text[:_LONGEST])


def _walk(value: Any, path: Sequence[str], at: str = "") -> Iterator[tuple[str, str]]:
    """Each text, and the path to it with its places in lists."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _walk(item, path, f"{at}.{place}")
    elif path:
        yield from _walk((value or {}).get(path[0]), path[1:], f"{at}.{path[0]}")
    elif value:
        yield at.removeprefix("."), value


def _meets(pattern: Pattern, text: _Text) -> Iterator[tuple[int, _Part]]:
    """The words that match the pattern, each with its kind; else the whole field, if that matches."""
    if not pattern.word or text.field == "phone" or pattern.field not in {None, text.field}:
        return
    words = split(text.content)
    met = False
    for word in words:
        kind = _kind(pattern, text.field, text.content[word.start : word.end])
        if kind is not None:
            met = True
            yield kind, _Part(text.path, word.start, word.end)
    if not met and len(words) > 1:
        kind = _kind(pattern, text.field, text.content)
        if kind is not None:
            yield kind, _Part(text.path, 0, len(text.content))


def _kind(pattern: Pattern, field: str, content: str) -> int | None:
    match = pattern.match(frozenset(index(SEARCHED[field].only([content])).t))
    return match and match[0]


def _told(text: _Text, query: Query) -> Iterator[tuple[int, int]]:
    """Ranges of the digits of a phone number, and of the beginning of an e-mail address, typed as such."""
    if text.field == "phone":
        for digits in {query.digits, *(term.text for term in query.terms if term.field == "phone")}:
            at = text.content.find(digits) if digits else -1
            if at >= 0:
                yield at, at + len(digits or "")
    if text.field == "email" and query.email and typed_email_key(text.content).startswith(query.email):
        same = fold(text.content).startswith(query.email)
        yield 0, len(query.email) if same else len(text.content)


def _runs(text: _Text, query: Query) -> Iterator[tuple[int, int]]:
    """Ranges of runs of characters; of several typed as one, each of them or the whole field."""
    words = split(text.content)
    for term in query.terms:
        if term.kind != "cjk" or term.field not in {None, text.field}:
            continue
        marks = [mark for word in words for mark in _in_run(term.text, word)]
        if not marks and (_is_in_runs(term.text, words) or _is_read_as(term.latin, text)):
            marks = [(0, len(text.content))]
        yield from marks


def _is_in_runs(typed: str, words: Sequence[Word]) -> bool:
    return any(typed in run for run in runs(word.text for word in words))


def _is_read_as(spellings: Sequence[str], text: _Text) -> bool:
    """Whether kanji of the field are read as the kana that were typed."""
    if not spellings or text.field == "phone":
        return False
    held = {posting[1:] for posting in index(SEARCHED[text.field].only([text.content])).t}
    return not held.isdisjoint(spellings)


def _in_run(typed: str, word: Word) -> Iterator[tuple[int, int]]:
    at = word.text.find(typed)
    if at >= 0 and len(word.text) == word.end - word.start:
        yield word.start + at, word.start + at + len(typed)
    elif at >= 0 or (script(word.text) and word.text in typed):
        yield word.start, word.end
