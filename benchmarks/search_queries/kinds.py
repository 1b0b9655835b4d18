"""What a query is, and a kind of queries."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.search_queries.directory import Directory, Person

Filters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """`right` are the numbers of all the sample people that the kind's rule describes."""

    q: str
    right: frozenset[int]
    filters: Filters = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` asks for a person; None where the kind does not fit, or something else would be a right answer.

    The queries of a `group` are promised one recall together.
    """

    group: str
    name: str
    make: Callable[[Person, Directory, Random], Query | None]


def query(q: str, right: set[int], *filters: tuple[str, str]) -> Query:
    return Query(q, frozenset(right), filters)
