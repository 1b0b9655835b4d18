"""How good answers are, by groups of kinds, against what is promised of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.results import Finding
from benchmarks.search_queries import Kind, Query
from benchmarks.searching import PAGE, Answer

RECALL = dict.fromkeys(
    ("exact", "prefix", "accents", "swapped", "CJK", "pinyin", "phone", "e-mail"), 0.99
) | {
    "one typo": 0.97,
    "two typos": 0.90,
    "half typed, misspelt": 0.90,
    "two typos, short": 0.60,
    "e-mail, misspelt": 0.95,
    "part of an e-mail": 0.95,
    "name and contact": 0.98,
    "last four": 0.99,
    "Cyrillic": 0.90,
    "Greek": 0.90,
    "kana": 0.90,
    "Hangul": 0.90,
    "kanji": 0.75,
}
RECIPROCAL_RANK = 0.9


@dataclass(frozen=True, slots=True)
class Score:
    """`recall` is of the right answers that fit a page: where more are right, all on the page must be."""

    recall: float
    reciprocal_rank: float
    """Of the first right answer; 0 where none is on the page."""
    is_single: bool
    """Whether one answer only is right."""


Scores = Mapping[Kind, Sequence[Score]]


def score(query: Query, answer: Answer) -> Score:
    found = [person in query.right for person in answer.people[:PAGE]]
    first = found.index(True) + 1 if True in found else None
    return Score(
        recall=len(query.right.intersection(answer.people[:PAGE])) / min(PAGE, len(query.right)),
        reciprocal_rank=1 / first if first else 0.0,
        is_single=len(query.right) == 1,
    )


def findings(scores: Scores) -> list[Finding]:
    groups = dict.fromkeys(kind.group for kind in scores)
    return [
        *(_recall(group, {kind: scores[kind] for kind in scores if kind.group == group}) for group in groups),
        _reciprocal_rank(scores),
    ]


def _recall(group: str, scores: Scores) -> Finding:
    each = "; ".join(f"{kind.name} {_mean(scores[kind]):.3f}" for kind in scores)
    all_scores = [one for of_kind in scores.values() for one in of_kind]
    any_right = fmean(one.reciprocal_rank > 0 for one in all_scores)
    return Finding(
        "search",
        f"recall@{PAGE}, {group}: {len(all_scores)} queries",
        f"{_mean(all_scores):.3f} ({each}); any right answer {any_right:.3f}",
        _mean(all_scores),
        at_least=RECALL.get(group),
    )


def _reciprocal_rank(scores: Scores) -> Finding:
    """Of the groups whose recall is promised."""
    singles = {
        kind: [one.reciprocal_rank for one in scores[kind] if one.is_single]
        for kind in scores
        if kind.group in RECALL
    }
    ranks = [rank for of_kind in singles.values() for rank in of_kind]
    low = "; ".join(
        f"{kind.name} {fmean(found):.3f}"
        for kind, found in singles.items()
        if found and fmean(found) < RECIPROCAL_RANK
    )
    return Finding(
        "search",
        f"mean reciprocal rank where one answer only is right: {len(ranks)} queries",
        f"{fmean(ranks):.3f}" + (f" (below: {low})" if low else ""),
        fmean(ranks),
        at_least=RECIPROCAL_RANK,
    )


def _mean(scores: Iterable[Score]) -> float:
    return fmean(one.recall for one in scores)
