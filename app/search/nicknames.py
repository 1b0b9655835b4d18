"""Nicknames: what people with a given name are called, and the names behind a nickname, of many languages.

The table, `nicknames.txt`, is our own: a line has the forms of a name, a colon, and its nicknames.
"""

from functools import cache
from importlib import resources

from app.search.words import fold

_MOST = 40
"""The most names that one is looked for by."""


def nicknames_of(word: str) -> tuple[str, ...]:
    """The names behind a folded nickname, the nicknames of a name."""
    return _table().get(word, ())


@cache
def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    text = (resources.files(__package__) / "nicknames.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        formal, called = (fold(side).split() for side in line.split(":"))
        for ones, others in ((formal, called), (called, formal)):
            for one in ones:
                found.setdefault(one, {}).update(dict.fromkeys(others))
    return {one: tuple(others)[:_MOST] for one, others in found.items()}
