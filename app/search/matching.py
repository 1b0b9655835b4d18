"""Matching: which words of a query a row's postings match, and the row's rank."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any, Literal, NamedTuple

from bson import ObjectId

from app.search.postings import index
from app.search.words import script
from models.user import SEARCHED

EXACT, PREFIX, NICKNAME, ONE_TYPO, INSIDE, BEGUN_TYPO, TWO_TYPOS, SOUND, ALL_BUT_ONE = range(9)
"""How a word matches; a row is ranked first by the worst of its words.

NICKNAME: one name is a nickname of the other; INSIDE: the word is typed from its middle; BEGUN_TYPO: it is
half typed with a typo; SOUND: both sound alike; ALL_BUT_ONE: one word of the query matches nothing.
"""

STAGES = (ONE_TYPO, BEGUN_TYPO, TWO_TYPOS, SOUND)
"""The kinds that are tried one after the other, each with better ones, past exact words and prefixes."""

CLASSES = {"n": 1.0, "e": 0.96, "p": 0.94, "r": 0.92}
"""Weights of the classes: in the name, in e-mail or username, in the phone number, anywhere else."""
PHONE = "p"

_KINDS = (1.0, 0.85, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.4)
_WHOLE_NAME = 0.03
_SHARE = 0.03
_ALIAS = 0.99
"""The weight of a word that stands for another of the name: no other class comes between."""


class Match(NamedTuple):
    """How a word of a query meets one posting; it begins with the letter of the posting's class."""

    kind: int
    weight: float
    posting: str


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
    is_last: bool = False
    """Whether it may be half typed and misspelt at once."""
    nicknames: tuple[str, ...] = ()
    digits: tuple[str, ...] = ()
    """What a phone number may hold of it: as typed, and without the 0 or 00 that is dialled first."""
    prefixes: tuple[str, ...] = ()
    near: Mapping[str, int] = made_by(default_factory=dict)
    """Postings of misspelt words, and the kind of each."""
    about: int = 1
    """Roughly how many rows match."""

    def match(self, postings: frozenset[str]) -> Match | None:
        """The best of all matches; None where nothing matches."""
        for some in self._levels(postings):
            if best := min(some, key=_place, default=None):
                return best
        return None

    def matches(self, postings: frozenset[str]) -> list[Match]:
        """All matches, the best first."""
        return sorted((match for some in self._levels(postings) for match in some), key=_place)

    def _levels(self, postings: frozenset[str]) -> Iterator[list[Match]]:
        """Matches by kind: all of a level are better than those of the next."""
        yield [Match(EXACT, CLASSES[posting[0]], posting) for posting in self.exact & postings]
        if self.prefixes:
            begun = [posting for posting in postings if posting.startswith(self.prefixes)]
            yield [Match(PREFIX, _weight(PREFIX, self.word, posting), posting) for posting in begun]
        near = ((self.near[posting], posting) for posting in self.near.keys() & postings)
        yield [Match(kind, _weight(kind, self.word, posting), posting) for kind, posting in near]


def _weight(kind: int, word: str, posting: str) -> float:
    """The weight of a match; shorter words with the prefix weigh more, but none more than a better class."""
    share = len(word) / (len(posting) - 1) if kind == PREFIX else 1.0
    return _KINDS[kind] * CLASSES[posting[0]] * (1 - _SHARE + _SHARE * share)


def _place(match: Match) -> tuple[int, float, bool, str]:
    """The best first; of a run of characters and its spelling in letters, the run."""
    return match.kind, -match.weight, match.posting.isascii(), match.posting


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
    name = row["keys"]["name"]
    matches = _match(patterns, row, name)
    if matches is None:
        return None
    worst = max(match.kind for match in matches)
    written = [_is_written(one, match, name) for one, match in zip(patterns, matches, strict=True)]
    weights = [
        match.weight if is_written else match.weight * _ALIAS
        for match, is_written in zip(matches, written, strict=True)
    ]
    score = sum(weights) / len(patterns)
    if worst == EXACT or len(patterns) > 1:
        named = [
            pattern
            for pattern, match, is_written in zip(patterns, matches, written, strict=True)
            if is_written and match.posting[0] == "n"
        ]
        score += _WHOLE_NAME * _share_of_name(named, name)
    return Rank(worst, _millionths(score), name, str(row["_id"]))


def _match(patterns: Sequence[Pattern], row: Mapping[str, Any], name: str) -> list[Match] | None:
    """The match of each word of the query, each by another word of the row; None where one has none."""
    held = postings(row)
    if any(pattern.digits for pattern in patterns):
        held |= {PHONE + suffix for suffix in postings(row, "p")}
    fields = [held if pattern.field is None else _of_field(row, pattern.field) for pattern in patterns]
    best = [pattern.match(of_field) for pattern, of_field in zip(patterns, fields, strict=True)]
    found = [match for match in best if match is not None]
    if len(found) < len(patterns):
        return None
    words = [
        _source(pattern, match, held) for pattern, match in zip(patterns, found, strict=True) if pattern.word
    ]
    if len(set(words)) == len(words):
        return found
    return _match_apart(patterns, fields, Counter(name.split()))


def _match_apart(
    patterns: Sequence[Pattern], fields: Sequence[frozenset[str]], named: Mapping[str, int]
) -> list[Match] | None:
    """As `_match`, where two words of the query would be met by one (Kuhn's bipartite matching).

    A word that the name has twice meets two.
    """
    chosen: dict[tuple[str, int], tuple[int, Match]] = {}

    def place(at: int, tried: set[tuple[str, int]]) -> bool:
        pattern = patterns[at]
        for match in pattern.matches(fields[at]):
            source = _source(pattern, match, fields[at]) if pattern.word else f" {at}"
            for seat in range(max(1, named.get(source, 1))):
                if (source, seat) in tried:
                    continue
                tried.add((source, seat))
                if (source, seat) not in chosen or place(chosen[source, seat][0], tried):
                    chosen[source, seat] = at, match
                    return True
        return False

    if not all(place(at, set()) for at in range(len(patterns))):
        return None
    return [match for _, match in sorted(chosen.values())]


def _source(pattern: Pattern, match: Match, held: frozenset[str]) -> str:
    """The word of the row that the match stands on.

    Of `marionroth` and `marion77`, of which no more than `m` was typed, that is `marion`: another word of the
    query must not be met by it, too.
    """
    word = match.posting[1:]
    if match.kind != PREFIX:
        return word
    parts = {posting[1:] for posting in held if posting[:1] in CLASSES}
    begun = [part for part in parts if word.startswith(part) and part.startswith(pattern.word)]
    made_of = [part for part in begun if word[len(part) :].isdigit() or word[len(part) :] in parts]
    return min(made_of, key=len, default=word)


def _share_of_name(named: Sequence[Pattern], name: str) -> float:
    """How much of the name was typed, of its letters; of a run of characters, of its words."""
    words = name.split()
    letters = sum(map(len, words)) or 1
    typed = sum(len(pattern.word) / letters if pattern.word else 1 / (len(words) or 1) for pattern in named)
    return min(1.0, typed)


def _is_written(pattern: Pattern, match: Match, name: str) -> bool:
    """Whether the word stands so in the name: a run of characters may have met its spelling in letters."""
    is_run = bool(script(match.posting[1:]))
    return match.posting[0] != "n" or is_run or (bool(pattern.word) and stands_in(match.posting[1:], name))


def stands_in(word: str, name: str) -> bool:
    """Whether the name has the word as it is, and not another for which it stands, in another script, say."""
    return word in name or word in "".join(re.findall(r"\w", name))


def score_named(words: Sequence[str], name: str) -> int:
    """The `minus_score` that `rank` gives to a row with all the words in its name."""
    letters = len(name) - name.count(" ") or 1
    written = [word for word in words if script(word) or stands_in(word, name)]
    weight = (len(written) + (len(words) - len(written)) * _ALIAS) / len(words)
    return _millionths(weight + _WHOLE_NAME * min(1.0, sum(len(word) / letters for word in written)))


def score_alone(kind: int, word: str, posting: str, name: str) -> int:
    """The `minus_score` that `rank` gives to a row that one word alone finds, not exactly."""
    is_written = posting[0] != "n" or stands_in(posting[1:], name)
    return _millionths(_weight(kind, word, posting) * (1 if is_written else _ALIAS))


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
