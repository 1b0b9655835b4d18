"""What a row is worth to a query, from its postings alone."""

from typing import Any

import pytest
from bson import ObjectId

from app.search import index
from app.search.matching import (
    EXACT,
    ONE_TYPO,
    PREFIX,
    TWO_TYPOS,
    Pattern,
    Rank,
    is_sound,
    postings,
    rank,
    score_named,
)

IDS = [ObjectId(f"{number:024x}") for number in range(10)]


def row(number: int = 0, **said: Any) -> dict[str, Any]:
    name = said.get("name", "")
    return {"_id": IDS[number], "keys": {"name": name.lower()}, "search": {"t": index(said).t}, **said}


def pattern(word: str, **more: Any) -> Pattern:
    return Pattern(frozenset(letter + word for letter in "ner"), word=word, **more)


def prefix(word: str, **more: Any) -> Pattern:
    return pattern(word, prefixes=tuple(letter + word for letter in "ner"), **more)


def near(word: str, **kinds: int) -> Pattern:
    return prefix(word, near={letter + other: kind for other, kind in kinds.items() for letter in "ner"})


@pytest.mark.parametrize(
    ("asked", "said", "expected"),
    [
        (pattern("anna"), {"name": "Anna"}, (EXACT, "n")),
        (pattern("anna"), {"email": "anna@example.com"}, (EXACT, "e")),
        (pattern("anna"), {"tags": ["Anna"]}, (EXACT, "r")),
        (pattern("anna"), {"name": "Anna", "email": "anna@example.com", "tags": ["anna"]}, (EXACT, "n")),
        (pattern("ann"), {"name": "Anna"}, None),
        (prefix("ann"), {"name": "Anna"}, (PREFIX, "n")),
        (prefix("ann"), {"name": "Anna", "email": "ann@example.com"}, (EXACT, "e")),
        (prefix("ann"), {"name": "Bo", "tags": ["annex"]}, (PREFIX, "r")),
        (near("anan", anna=ONE_TYPO), {"name": "Anna"}, (ONE_TYPO, "n")),
        (near("ann", anna=ONE_TYPO), {"name": "Anna"}, (PREFIX, "n")),
        (near("anan", anna=TWO_TYPOS, anan=ONE_TYPO), {"name": "Anna", "tags": ["anan"]}, (EXACT, "r")),
        (near("x", anna=TWO_TYPOS, anni=ONE_TYPO), {"name": "Anna", "tags": ["anni"]}, (ONE_TYPO, "r")),
        (near("anan", anna=ONE_TYPO), {"name": "Berta"}, None),
        (prefix("anna b"), {"name": "Anna Berta"}, None),  # a pair is no word
    ],
)
def test_the_best_kind_of_match_counts_then_the_best_place(
    asked: Pattern, said: dict[str, Any], expected: tuple[int, str] | None
) -> None:
    found = asked.match(postings(row(**said)))
    assert (found and (found.kind, found.posting[0])) == expected


def test_kinds_and_places_weigh_in_their_order() -> None:
    weights = [
        found[1]
        for asked in (
            pattern("anna"),
            prefix("ann"),
            near("anan", anna=ONE_TYPO),
            near("aann", anna=TWO_TYPOS),
        )
        for said in ({"name": "Anna"}, {"email": "anna@example.com"}, {"tags": ["anna"]})
        if (found := asked.match(postings(row(**said))))
    ]
    assert len(weights) == 12
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == 12


def test_the_longer_the_beginning_the_better() -> None:
    short, long = (prefix(word).match(postings(row(name="Annabelle"))) for word in ("an", "annabell"))
    assert short is not None
    assert long is not None
    assert short[1] < long[1]


def test_the_worst_word_decides_then_the_score_then_the_name_then_the_id() -> None:
    anna = [pattern("anna")]
    ranks = [
        rank(anna, row(3, name="Anna")),
        rank(anna, row(1, name="Anna Abel")),
        rank(anna, row(2, name="Anna Abel")),
        rank(anna, row(0, name="Anna Berta")),
        rank(anna, row(4, name="Abel", email="anna@example.com")),
        rank(anna, row(5, name="Abel", tags=["anna"])),
        rank([prefix("ann")], row(6, name="Anna")),
        rank([pattern("abel"), near("anan", anna=ONE_TYPO)], row(7, name="Anna Abel")),
    ]
    found = [one for one in ranks if one is not None]
    assert found == sorted(found)
    assert [one.kind for one in found] == [EXACT] * 6 + [PREFIX, ONE_TYPO]
    assert [one.id for one in found[:4]] == [str(IDS[number]) for number in (3, 1, 2, 0)]
    assert found[0].minus_score == -1_030_000


def test_users_without_a_word_are_not_ranked() -> None:
    assert rank([pattern("anna"), pattern("berlin")], row(name="Anna")) is None


@pytest.mark.parametrize(
    ("asked", "said", "is_found"),
    [
        ([pattern("marion"), prefix("m")], {"name": "Marion Roth"}, False),
        ([prefix("m"), pattern("marion")], {"name": "Marion Roth"}, False),
        ([pattern("marion"), prefix("m")], {"name": "Marion Roth", "email": "marion77@x.example"}, False),
        ([pattern("marion"), prefix("m")], {"name": "Marion van Roth", "username": "marion.roth"}, False),
        ([pattern("marion"), prefix("m")], {"name": "Marion Maier"}, True),
        ([pattern("marion"), prefix("m")], {"name": "Marion Marionette"}, True),
        ([pattern("marion"), prefix("m")], {"name": "Marion Roth", "tags": ["music"]}, True),
        ([pattern("smith"), prefix("smith1")], {"name": "Ann Smith", "email": "smith12@x.example"}, True),
        ([prefix("an"), prefix("ann")], {"name": "Ann Andersson"}, True),
        ([prefix("ann"), prefix("an")], {"name": "Andersson Ann"}, True),
        ([pattern("anna"), pattern("anna")], {"name": "Anna Roth"}, False),
        ([pattern("anna"), pattern("anna")], {"name": "Anna Anna"}, True),
        ([pattern("marion"), near("marian", marion=ONE_TYPO)], {"name": "Marion Roth"}, False),
        ([pattern("marion"), near("marian", marion=ONE_TYPO)], {"name": "Marion Marian"}, True),
        ([prefix("a")] * 10, {"name": "Anna Abel Ada", "tags": ["art", "ale"]}, False),
    ],
)
def test_each_word_is_met_by_another_word_of_the_user(
    asked: list[Pattern], said: dict[str, Any], *, is_found: bool
) -> None:
    assert (rank(asked, row(**said)) is not None) == is_found


def test_of_two_who_match_alike_the_name_that_is_typed_further_comes_first() -> None:
    asked = [pattern("anna"), prefix("ro")]
    ranks = [
        rank(asked, row(number, name=name))
        for number, name in enumerate(["Anna Roth", "Anna Rothaupt", "Aalfons Anna Roth"])
    ]
    assert [one.id for one in sorted(filter(None, ranks))] == [str(IDS[number]) for number in (0, 2, 1)]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("name", {"name": "Berlin"}),
        ("username", {"username": "berlin"}),
        ("email", {"email": "berlin@example.com"}),
        ("tag", {"tags": ["Berlin"]}),
        ("city", {"profile": {"addresses": [{"city": "Berlin"}]}}),
        ("title", {"profile": {"title": "Berlin"}}),
        ("department", {"profile": {"department": "Berlin"}}),
    ],
)
def test_a_field_asks_that_field(field: str, said: dict[str, Any]) -> None:
    fields = ["name", "username", "email", "tag", "city", "title", "department"]
    matching = [one for one in fields if rank([pattern("berlin", field=one)], row(**said))]
    assert matching == [field]


def test_the_same_word_may_stand_better_elsewhere() -> None:
    both = row(name="Berlin", profile={"addresses": [{"city": "Berlin"}]})
    assert "rberlin" not in postings(both)
    assert rank([pattern("berlin", field="city")], both) is not None
    assert rank([pattern("berlin", field="tag")], both) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        {"keys": None}, {"keys": "x"}, {"keys": {}}, {"keys": {"name": 5}}, {"_id": "abc"}, {"_id": None},
        {"search": None}, {"search": "nanna"}, {"search": {"t": None}}, {"search": {"t": "nanna"}},
        {"search": {"t": [5, None, {"a": 1}, ["nanna"]]}},
    ],
)  # fmt: skip
def test_malformed_rows_are_not_ranked(spoilt: dict[str, Any]) -> None:
    assert rank([pattern("anna")], row(name="Anna") | spoilt) is None


@pytest.mark.parametrize(
    ("field", "spoilt"),
    [
        ("name", {"name": 5}), ("tag", {"tags": [5]}), ("city", {"profile": {"addresses": "x"}}),
        ("title", {"profile": {"title": ["anna"]}}), ("email", {"email": 5}), ("city", {"profile": "x"}),
    ],
)  # fmt: skip
def test_a_field_that_holds_no_text_matches_nothing(field: str, spoilt: dict[str, Any]) -> None:
    assert rank([pattern("anna", field=field)], row(name="Anna", email="anna@example.com") | spoilt) is None


def test_what_stands_beside_sound_postings_is_left_out() -> None:
    held = row(name="Anna") | {"search": {"t": ["nanna", 5, None], "p": [7, "123"]}}
    assert postings(held) == {"nanna"}
    assert postings(held, "p") == {"123"}
    assert is_sound(held)
    assert rank([pattern("anna")], held) == Rank(EXACT, -1_030_000, "anna", str(IDS[0]))


def test_a_word_that_is_written_in_the_name_comes_before_its_readings() -> None:
    written, read = (rank([pattern("joshi")], row(name=name)) for name in ("Ananya Joshi", "जोशी"))
    assert written is not None
    assert read is not None
    assert written < read


@pytest.mark.parametrize("name", ["Ananya Joshi", "जोशी", "O'Brien Anna", "Anna-Maria Roth", "Müller"])
def test_keys_of_the_index_rank_as_whole_rows_do(name: str) -> None:
    held = row(name=name)
    for posting in sorted(postings(held)):
        if posting[0] == "n" and posting[1:].isascii():
            ranked = rank([pattern(posting[1:])], held)
            assert ranked is not None
            assert ranked.minus_score == score_named([posting[1:]], held["keys"]["name"])
