"""Which words of a query must match where nobody matches all."""

import pytest
from bson import ObjectId

from app.search import but_one
from app.search.but_one import has_title
from app.search.index_reads import patterns
from app.search.matching import ALL_BUT_ONE
from app.search.query_parser import parse


def _ways(q: str, *, titles: bool = False) -> list[str]:
    asked = [pattern for term in parse(q).terms for pattern in patterns(term)]
    return [" ".join(pattern.word for pattern in way) for way in but_one.ways(asked, titles=titles)]


@pytest.mark.parametrize(
    ("q", "ways"),
    [
        ("anna maria meier", ["maria meier", "anna meier", "anna maria"]),
        ("herr anna maria meier", ["maria meier", "anna meier", "anna maria"]),
        ("dr anna meier", []),
        ("anna meier", []),
        ("meier", []),
        ('anna "maria" meier', []),
        ("anna maria city:berlin", []),
        ("anna maria 王伟", []),
        ("a b qqqq", ["b qqqq", "a qqqq"]),
        ("li na xu", ["na xu", "li xu", "li na"]),
    ],
)
def test_all_words_but_one_must_match_of_three_or_more(q: str, ways: list[str]) -> None:
    assert _ways(q) == ways


@pytest.mark.parametrize(
    ("q", "way"),
    [("dr anna meier", ["anna meier"]), ("Prof. Dr. Meier", ["meier"]), ("dr prof", []), ("dr 王伟", [])],
)
def test_titles_need_not_match(q: str, way: list[str]) -> None:
    assert _ways(q, titles=True) == way
    assert has_title(parse(q)) == bool(way) or "王" in q


def test_a_row_ranks_by_the_words_that_match() -> None:
    asked = tuple(pattern for term in parse("anna maria meier").terms for pattern in patterns(term))
    rows = [
        {"_id": ObjectId(), "keys": {"name": name}, "search": {"t": [f"n{word}" for word in name.split()]}}
        for name in ("anna meier", "anna weber", "anna maria weber von meierling")
    ]
    ranks = sorted(but_one.ranked(but_one.ways(asked, titles=False), rows))
    assert [rank.name for rank in ranks] == ["anna meier", "anna maria weber von meierling"]
    assert {rank.kind for rank in ranks} == {ALL_BUT_ONE}
