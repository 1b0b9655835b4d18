"""Which parts of a user's text are marked."""

from typing import Any

import pytest

from app.search import highlight, index_reads, parse
from app.search.matching import Pattern


def patterns(q: str, **near: tuple[int, int]) -> list[Pattern]:
    """Widened: prefixes count, and what else each word may stand for."""
    found = [pattern for term in parse(q).terms for pattern in index_reads.patterns(term)]
    return [index_reads.widen(pattern, near, count=0, begun=0) for pattern in found]


def marked(row: dict[str, Any], q: str, **near: tuple[int, int]) -> dict[str, list[str]]:
    def at(path: str) -> str:
        held: Any = row
        for step in path.split("."):
            held = held[int(step)] if step.isdigit() else held[step]
        return str(held)

    found = highlight(row, parse(q), patterns(q, **near))
    return {path: [at(path)[start:end] for start, end in ranges] for path, ranges in found.items()}


@pytest.mark.parametrize(
    ("name", "q", "expected"),
    [
        ("Anna Müller", "anna", ["Anna"]),
        ("Anna Müller", "müller anna", ["Anna", "Müller"]),
        ("Anna Mu\u0308ller", "muller", ["Mu\u0308ller"]),
        ("Jörg Müller", "mueller", ["Müller"]),
        ("ANNA anna Ännä", "anna", ["ANNA", "anna", "Ännä"]),
        ("Siobhán O’Brien", "obrien", ["O’Brien"]),
        ("Anne-Marie", "annemarie", ["Anne-Marie"]),
        ("Pieter van der Meer", "vandermeer", ["Pieter van der Meer"]),
        ("Annabelle Abel", "ann", ["Annabelle"]),
        ("Anna Annabelle", "anna", ["Anna"]),
        ("张伟", "张", ["张"]),
        ("张伟", "zhang", ["张伟"]),
        ("张伟", "zw", ["张伟"]),
        ("田中 拓也", "田中拓也", ["田中", "拓也"]),
        ("田中 拓也", "中拓", ["田中 拓也"]),
        ("サトウ ケンジ", "トウ", ["トウ"]),
        ("ｻﾄｳ", "さとう", ["ｻﾄｳ"]),
        ("㍿ ABC", "abc", ["ABC"]),
        ("Straße", "strasse", ["Straße"]),
        ("👩‍🚀 Anna 🚀", "anna", ["Anna"]),
        ("Юлия", "юлия", ["Юлия"]),
        ("משה כהן", "כהן", ["כהן"]),
        ("ﬁona", "fiona", ["ﬁona"]),
        ("Agent 007", "007", ["007"]),
    ],
)
def test_words_of_a_name_are_marked_where_they_stand(name: str, q: str, expected: list[str]) -> None:
    assert marked({"name": name}, q) == {"name": expected}


def test_each_word_is_marked_where_it_matches_best() -> None:
    row = {"name": "Anna Abel", "email": "annabel.anne@example.com", "tags": ["anne"]}
    assert marked(row, "anna", anne=(1, 5)) == {"name": ["Anna"]}
    assert marked(row, "annab", anne=(2, 5)) == {"email": ["annabel"]}
    assert marked(row, "aneb", anne=(1, 5)) == {"email": ["anne"], "tags.0": ["anne"]}


def test_a_field_is_marked_alone_where_it_was_asked() -> None:
    row = {
        "name": "Berlin", "tags": ["x", "Berlin"], "profile": {
            "title": "Berlin", "department": "Berlin", "addresses": [{"city": None}, {"city": "Berlin"}],
        },
    }  # fmt: skip
    for field, path in {
        "name": "name", "tag": "tags.1", "title": "profile.title", "department": "profile.department",
        "city": "profile.addresses.1.city",
    }.items():  # fmt: skip
        assert marked(row, f"{field}:berlin") == {path: ["Berlin"]}
    assert len(marked(row, "berlin")) == 5


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("030 1234", ["301234"]), ("+49 30 123456", ["4930123456"]), ("3456", ["3456"]),
        ("phone:3456", ["3456"]), ("phone:030/12 anna", ["3012"]), ("99999", None),
    ],
)  # fmt: skip
def test_digits_are_marked_in_the_phone_number(q: str, expected: list[str] | None) -> None:
    assert marked({"phone": "+4930123456"}, q).get("phone") == expected


@pytest.mark.parametrize(
    ("email", "q", "expected"),
    [
        ("Anna@Example.com", "anna@ex", ["Anna@Ex"]),
        ("anna@example.com", "ANNA@EXAMPLE.COM", ["anna@example.com"]),
        ("anna@bücher.example", "anna@xn--bcher-kva.example", ["anna@bücher.example"]),
        ("anna.b@example.com", "anna", ["anna"]),
        ("anna1988@example.com", "anna", ["anna1988"]),
    ],
)
def test_an_address_is_marked_as_far_as_it_was_typed(email: str, q: str, expected: list[str]) -> None:
    found = [
        [email[start:end] for start, end in ranges]
        for path, ranges in highlight({"email": email}, parse(q), () if "@" in q else patterns(q)).items()
        if path == "email"
    ]
    assert found == [expected]


@pytest.mark.parametrize("row", [{}, {"name": None}, {"tags": None, "profile": None}, {"profile": {}}])
def test_what_is_not_there_is_not_marked(row: dict[str, Any]) -> None:
    assert marked(row, "anna") == {}


def test_of_an_endless_name_only_what_is_indexed_is_looked_at() -> None:
    name = "x" * 600 + " Anna"
    assert marked({"name": name}, "anna") == {}
