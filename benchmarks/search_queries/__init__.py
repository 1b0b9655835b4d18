"""Queries with known answers about the sample people: the same count and seed always give the same ones."""

from collections.abc import Iterator
from itertools import zip_longest
from random import Random

from app.commands.sample import people
from benchmarks.search_queries import (
    by_ear,
    contacts,
    east_asian,
    half_typed,
    names,
    narrowed,
    scripts,
    typos,
)
from benchmarks.search_queries.directory import Directory, Person, number
from benchmarks.search_queries.kinds import Kind, Query

__all__ = ["EACH", "KINDS", "Directory", "Kind", "Query", "generate", "number"]

KINDS = (
    *names.KINDS,
    *typos.KINDS,
    *half_typed.KINDS,
    *east_asian.KINDS,
    *scripts.KINDS,
    *by_ear.KINDS,
    *contacts.KINDS,
    *narrowed.KINDS,
)
EACH = 60
"""Queries of a kind, where there are so many."""

_FEW = 10
"""A page: where no more are right, all must be on it."""
_MANY_SHARE = 3
"""One query in three has more right answers than fit a page, where there are enough of others."""
_TRIES = 800


def generate(count: int, *, seed: int = 11, each: int = EACH) -> dict[Kind, list[Query]]:
    """About the first `count` sample people."""
    return ask(Directory(people(count)), seed=seed, each=each)


def ask(directory: Directory, *, seed: int, each: int) -> dict[Kind, list[Query]]:
    return {kind: _of_kind(kind, directory, Random(f"{seed}:{kind.name}"), each) for kind in KINDS}


def _of_kind(kind: Kind, directory: Directory, dice: Random, each: int) -> list[Query]:
    few: dict[tuple[object, ...], Query] = {}
    many: dict[tuple[object, ...], Query] = {}
    for made in _made(kind, directory, dice):
        kept = few if len(made.right) <= _FEW else many
        kept.setdefault((made.q, made.filters), made)
        if len(few) >= each and (len(many) >= each // _MANY_SHARE or len(few) + len(many) >= 2 * each):
            break
    share = max(each // _MANY_SHARE, each - len(few))
    spared = list(many.values())[:share]
    return [*list(few.values())[: each - len(spared)], *spared]


def _made(kind: Kind, directory: Directory, dice: Random) -> Iterator[Query]:
    """Of no more people than `_TRIES` whom the kind fits: some kinds have no query with few answers."""
    tries = 0
    for person in _in_turn(directory, dice):
        made = kind.make(person, directory, dice)
        if made:
            assert person.number in made.right
            yield made
            tries += 1
        if tries == _TRIES:
            return


def _in_turn(directory: Directory, dice: Random) -> Iterator[Person]:
    """All who may be asked for: in turn one whose name nobody else has, one with a rare name, one of many."""
    order = dice.sample(directory.known, len(directory.known))
    by_rarity: tuple[list[Person], ...] = ([], [], [])
    for person in order:
        namesakes = len(directory.by_name[person.name])
        by_rarity[(namesakes > 1) + (namesakes > _FEW)].append(person)
    for three in zip_longest(*by_rarity):
        yield from (person for person in three if person)
