"""Queries as they stand in a box while somebody types and errs: a typo in a word that is half typed."""

from random import Random
from typing import get_args

from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query
from benchmarks.search_queries.text import Edit, alphabet, distance, fold, misspell, words

_EDITS: tuple[Edit, ...] = get_args(Edit)
_SHORTEST = 4


def last_word(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`seth jonm`: right are people who have the words before, and one whose beginning is so near."""
    *before, last = person.name.split()
    return _query(before, last, directory, dice) if before else None


def word_alone(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`kathaxi`."""
    return _query([], dice.choice(person.name.split()), directory, dice)


def _query(before: list[str], whole: str, directory: Directory, dice: Random) -> Query | None:
    typed = _misspelt(whole, dice)
    asked = words(" ".join(before))
    if typed is None or directory.anywhere_starting(fold(typed), *asked):
        return None
    near = directory.begun_near(fold(typed), among=directory.named(*asked) if asked else None)
    return query(" ".join([*before, typed]), near)


def _misspelt(whole: str, dice: Random) -> str | None:
    """A beginning of four letters or more with one typo; None where letters are left out of other texts."""
    plain = fold(whole)
    if len(plain) <= _SHORTEST or len(plain) != len(whole) or alphabet(plain) is None:
        return None
    begun = whole[: dice.randrange(_SHORTEST, len(whole))]
    typed = misspell(begun, dice.choice(_EDITS), dice)
    is_near = distance(fold(typed), fold(begun)) == 1 and len(typed) >= _SHORTEST
    return typed if is_near and alphabet(fold(typed)) else None


KINDS = (
    Kind("half typed, misspelt", "last word of a name", last_word),
    Kind("half typed, misspelt", "word alone", word_alone),
)
