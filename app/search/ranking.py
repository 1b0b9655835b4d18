"""Ranked users: the best rank of each, those after a position, and one page of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.cursors import Position
from app.core.mongo import Row
from app.search.matching import Pattern, Rank, rank

RANKED = 500
"""The most users who are ranked together."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Users in ranked order, and the position after them if others follow."""

    ranks: list[Rank]
    next: Position | None
    patterns: tuple[Pattern, ...]
    known: int
    """The least number of matching users."""


def ranked(patterns: Sequence[Pattern], rows: Iterable[Row]) -> list[Rank]:
    ranked = (rank(patterns, row) for row in rows)
    return [one for one in ranked if one is not None]


def once(ranks: Iterable[Rank]) -> list[Rank]:
    """The best rank of each user."""
    best: dict[str, Rank] = {}
    for one in ranks:
        best[one.id] = min(one, best.get(one.id, one))
    return sorted(best.values())


def after(ranks: list[Rank], start: Position | None) -> list[Rank]:
    if start is None:
        return sorted(ranks)
    place = Rank(start.segment, start.value[0], start.value[1], str(start.id))
    return sorted(one for one in ranks if one > place)


def cut(ranks: list[Rank], limit: int, patterns: tuple[Pattern, ...], known: int) -> Matches:
    more = len(ranks) > limit
    ranks = ranks[:limit]
    last = ranks[-1] if ranks else None
    place = Position(last.kind, [last.minus_score, last.name], last.id) if more and last else None
    return Matches(ranks, place, patterns, known)
