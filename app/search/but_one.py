"""All words but one: who is found where nobody matches all, since a title or a middle name is not stored."""

import re
from collections.abc import Iterable, Iterator, Sequence

from app.core.mongo import Row
from app.search.matching import ALL_BUT_ONE, Pattern, Rank, rank
from app.search.query_parser import Query

_TITLES = frozenset(
    re.split(
        r"\s+",
        "bay bey dhr dipl doctor docteur don dona dott dottssa dr dra eng frau fraulein hanim herr ing madam "
        "madame mag mevr miss mlle mme monsieur mr mrs ms mx pan pani prof professor rev sensei sig signor "
        "signora sigra senor senora sir sr sra srta др проф",
    )
)
_FEWEST = 3
"""The words of which one may match nothing."""
_FEWEST_LETTERS = 4
"""The letters that the others have together: `a b` begins names of too many people."""

Way = tuple[Pattern, ...]


def has_title(query: Query) -> bool:
    """Whether a word is one, and another is none."""
    return 0 < sum(term.text in _TITLES for term in query.terms) < len(query.terms)


def may_lack_one(query: Query) -> bool:
    """Whether there are so many words that one may match nothing."""
    return sum(term.text not in _TITLES for term in query.terms) >= _FEWEST


def ways(patterns: Sequence[Pattern], *, titles: bool) -> list[Way]:
    """The words that must match: with `titles` all that are none, else all of these but any one.

    None where a word is quoted, belongs to a field or is of characters without spaces: those are meant.
    """
    if any(pattern.is_strict or pattern.field or not pattern.word for pattern in patterns):
        return []
    called = tuple(pattern for pattern in patterns if pattern.word not in _TITLES)
    if titles:
        return [called] if called else []
    if len(called) < _FEWEST:
        return []
    found = [(*called[:at], *called[at + 1 :]) for at in range(len(called))]
    return [way for way in found if sum(len(pattern.word) for pattern in way) >= _FEWEST_LETTERS]


def rarest(ways: Sequence[Way]) -> list[Way]:
    """Those whose index reads find the users of all: without the rarest word, and without the next."""
    return sorted(ways, key=lambda way: sorted(pattern.about for pattern in way), reverse=True)[:2]


def ranked(ways: Sequence[Way], rows: Iterable[Row]) -> Iterator[Rank]:
    """The best rank of each row: as by the words that match, but behind all who match every word."""
    for row in rows:
        found = [one for way in ways if (one := rank(way, row)) is not None]
        if best := min(found, default=None):
            yield Rank(ALL_BUT_ONE, best.minus_score, best.name, best.id)
