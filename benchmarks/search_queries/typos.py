"""Queries with one typo of each kind, with two in a long word, and with one in each of two words."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import get_args

from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query
from benchmarks.search_queries.text import Edit, alphabet, distance, fold, misspell, words

_EDITS: tuple[Edit, ...] = get_args(Edit)
_SHORTEST = {1: 4, 2: 8}
"""Letters of a word that may have so many typos."""
_SHORT = range(5, 8)
"""Letters of a word in which two typos are found where nothing better is."""
_LONGEST = 64
_ALONE = 0.3
"""The share of queries that are the misspelt word and nothing else."""


def _typos(
    person: Person,
    directory: Directory,
    dice: Random,
    *,
    edits: tuple[Edit, ...],
    lengths: range | None = None,
) -> Query | None:
    """Right are people who have a word so near; nobody may be nearer, nor fit by the start of a word."""
    tokens = person.name.split()
    places = _places(tokens, lengths or range(_SHORTEST[len(edits)], _LONGEST))
    if not places:
        return None
    place = dice.choice(places)
    typed = _misspelt(tokens[place], edits, dice)
    rest = [] if dice.random() < _ALONE else words(" ".join(tokens[:place] + tokens[place + 1 :]))
    if not typed or directory.anywhere_starting(fold(typed), *rest):
        return None
    others = directory.named(*rest) if rest else None
    right, nearer = (
        near if others is None else near & others
        for near in (directory.near(fold(typed), within) for within in (len(edits), len(edits) - 1))
    )
    if nearer:
        return None
    asked = [*tokens[:place], typed, *tokens[place + 1 :]] if rest else [typed]
    return query(" ".join(asked), right)


def _places(tokens: list[str], lengths: range) -> list[int]:
    return [place for place, token in enumerate(tokens) if _takes(token, lengths)]


def _takes(token: str, lengths: range) -> bool:
    plain = fold(token)
    return plain.isalpha() and len(plain) in lengths and alphabet(plain) is not None


def _misspelt(token: str, edits: tuple[Edit, ...], dice: Random) -> str | None:
    typed = dice.choice([token, token.lower(), fold(token)])
    for edit in edits:
        typed = misspell(typed, edit, dice)
    is_so_far = distance(fold(typed), fold(token)) == len(edits)
    return typed if is_so_far and alphabet(fold(typed)) else None


def _two(person: Person, directory: Directory, dice: Random) -> Query | None:
    return _typos(person, directory, dice, edits=(dice.choice(_EDITS), dice.choice(_EDITS)))


def _two_short(person: Person, directory: Directory, dice: Random) -> Query | None:
    edits = dice.choice(_EDITS), dice.choice(_EDITS)
    return _typos(person, directory, dice, edits=edits, lengths=_SHORT)


def _one_each(person: Person, directory: Directory, dice: Random) -> Query | None:
    """Right are people who have both words within one typo."""
    tokens = person.name.split()
    if len(tokens) != 2 or not all(_takes(token, range(_SHORTEST[1], _LONGEST)) for token in tokens):
        return None
    typed = [_misspelt(token, (dice.choice(_EDITS),), dice) for token in tokens]
    if not all(typed):
        return None
    first, second = (fold(token) for token in typed if token)
    if directory.anywhere_starting(first, second):
        return None
    right = directory.near(first, 1) & directory.near(second, 1)
    return query(" ".join(token for token in typed if token), right)


def _one(edit: Edit) -> Callable[[Person, Directory, Random], Query | None]:
    return partial(_typos, edits=(edit,))


KINDS = (
    *(Kind("one typo", edit, _one(edit)) for edit in _EDITS),
    Kind("two typos", "two in a long word", _two),
    Kind("two typos, short", "two in a word of 5 to 7 letters", _two_short),
    Kind("typos in two words", "one in each of two words", _one_each),
)
