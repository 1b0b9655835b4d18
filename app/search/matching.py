"""Matching: which words of a query a row's postings match, and the row's rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any, Literal

from bson import ObjectId

from app.search.postings import index
from models.user import SEARCHED

EXACT, PREFIX, ONE_TYPO, TWO_TYPOS = range(4)
"""How a word matches; a row is ranked first by the worst of its words."""

CLASSES = {"n": 1.0, "e": 0.96, "r": 0.92}
"""Weights of the classes: in the name, in e-mail or username, anywhere else."""

_KINDS = (1.0, 0.85, 0.7, 0.55)
_WHOLE_NAME = 0.03
_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Pattern:
    """One word of a query with all postings that may stand for it."""

    exact: frozenset[str]
    word: str = ""
    """As typed and folded; empty for a part of a run of characters."""
    letters: str = "ner"
    field: str | None = None
    """The field that it is narrowed to; a row may hold the word elsewhere, too."""
    is_strict: bool = False
    """Whether neither prefixes nor typos match."""
    prefixes: tuple[str, ...] = ()
    near: Mapping[str, int] = made_by(default_factory=dict)
    """Postings of misspelt words, and the kind of each."""
    about: int = 1
    """Roughly how many rows match."""

    def match(self, postings: frozenset[str]) -> tuple[int, float, str] | None:
        """The best kind, its weight and the class letter; None where nothing matches."""
        best: tuple[int, float, str] | None = None
        for posting in self.exact & postings:
            best = _better(best, (EXACT, CLASSES[posting[0]], posting[0]))
        if best is not None:
            return best
        if self.prefixes:
            for posting in postings:
                if posting.startswith(self.prefixes):
                    best = _better(best, (PREFIX, _weight(PREFIX, self.word, posting), posting[0]))
        if best is not None:
            return best
        for posting in self.near.keys() & postings:
            kind = self.near[posting]
            best = _better(best, (kind, _weight(kind, self.word, posting), posting[0]))
        return best


def _weight(kind: int, word: str, posting: str) -> float:
    """The weight of a match; shorter words with the prefix weigh more, but none more than a better class."""
    share = len(word) / (len(posting) - 1) if kind == PREFIX else 1.0
    return _KINDS[kind] * CLASSES[posting[0]] * (1 - _SHARE + _SHARE * share)


def _better(one: tuple[int, float, str] | None, other: tuple[int, float, str]) -> tuple[int, float, str]:
    return other if one is None or (other[0], -other[1]) < (one[0], -one[1]) else one


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """The place of a row among a query's: the worst kind of match, then the score, the name and the id."""

    kind: int
    minus_score: int
    """In millionths."""
    name: str
    id: str


def rank(patterns: Sequence[Pattern], row: Mapping[str, Any]) -> Rank | None:
    """The row's rank; None where it lacks a word, has it in another field, or is malformed."""
    if not is_sound(row):
        return None
    held = postings(row)
    worst, total, in_name = EXACT, 0.0, 0
    for pattern in patterns:
        match = pattern.match(held if pattern.field is None else _of_field(row, pattern.field))
        if match is None:
            return None
        worst = max(worst, match[0])
        total += match[1]
        in_name += match[2] == "n"
    name = row["keys"]["name"]
    whole = min(1.0, in_name / max(1, name.count(" ") + 1)) if worst == EXACT or len(patterns) > 1 else 0.0
    score = total / len(patterns) + _WHOLE_NAME * whole
    return Rank(worst, _millionths(score), name, str(row["_id"]))


def score_alone(kind: int, word: str, posting: str) -> int:
    """The `minus_score` that `rank` gives to a row that one word alone finds, not exactly."""
    return _millionths(_weight(kind, word, posting))


def _millionths(score: float) -> int:
    return -round(score * 1_000_000)


def is_sound(row: Mapping[str, Any]) -> bool:
    """Whether the row has an id and a sort key; other programs may have stored anything."""
    keys = row.get("keys")
    return isinstance(row["_id"], ObjectId) and isinstance(keys, dict) and isinstance(keys.get("name"), str)


def postings(row: Mapping[str, Any], name: Literal["t", "p"] = "t") -> frozenset[str]:
    """The row's postings (`models.user.SearchFields`), without items that are no text."""
    held = row.get("search")
    found = held.get(name) if isinstance(held, dict) else None
    return frozenset(filter(_is_text, found)) if isinstance(found, list) else frozenset()


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _of_field(row: Mapping[str, Any], name: str) -> frozenset[str]:
    """The postings of one field alone; none where it holds no text."""
    field = SEARCHED[name]
    try:
        return frozenset(index(field.only(list(field.values(row)))).t)
    except (AttributeError, TypeError):
        return frozenset()
