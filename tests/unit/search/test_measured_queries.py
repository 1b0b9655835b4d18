"""The queries that search is measured by: their truths, by hand and by a second way of counting."""

import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from app.commands.sample import people
from benchmarks import search_queries
from benchmarks.search_queries import EACH, KINDS, Directory, Kind, Query, contacts, east_asian, names, typos
from benchmarks.search_queries.text import Edit, distance, fold, misspell, words

COUNT = 12_000
Asked = dict[Kind, list[Query]]


@pytest.fixture(scope="module")
def asked() -> Asked:
    return search_queries.generate(COUNT)


@pytest.fixture(scope="module")
def sample() -> list[dict[str, Any]]:
    return list(people(COUNT))


def _all(asked: Asked, group: str) -> Iterator[Query]:
    return (query for kind, queries in asked.items() if kind.group == group for query in queries)


def _directory(*said: dict[str, Any]) -> Directory:
    """People who have no more than what is said."""
    nobody = {"email": "x@example.com", "tags": [], "profile": {"addresses": []}}
    return Directory(nobody | one for one in said)


def _dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311  # the same at every run is what is wanted


def _named(*names: str) -> Directory:
    return _directory(*({"name": name} for name in names))


def test_there_are_two_thousand_queries_and_every_kind_has_its_share(asked: Asked) -> None:
    assert sum(map(len, asked.values())) >= 2_000
    assert set(asked) == set(KINDS)
    assert {len(queries) for kind, queries in asked.items() if kind.name != "split"} == {EACH}
    assert sum(len(query.right) == 1 for queries in asked.values() for query in queries) >= 600


def test_no_query_is_asked_twice_in_its_kind_or_has_no_answer(asked: Asked) -> None:
    for queries in asked.values():
        assert len({(query.q, query.filters) for query in queries}) == len(queries)
        assert all(query.right and max(query.right) < COUNT for query in queries)
        assert all(0 < len(query.q) <= 200 and len(query.q.split()) <= 10 for query in queries)


def test_the_same_seed_gives_the_same_queries_and_another_gives_others() -> None:
    directory = Directory(people(2_000))
    once = search_queries.ask(directory, seed=1, each=5)
    assert search_queries.ask(directory, seed=1, each=5) == once
    assert search_queries.ask(directory, seed=2, each=5) != once


def test_every_query_can_be_answered_from_the_first_ten_thousand_people(asked: Asked) -> None:
    assert all(min(query.right) < 10_000 for queries in asked.values() for query in queries)


def test_kinds_are_named_once() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_a_person_is_known_by_the_number_in_the_address(sample: list[dict[str, Any]]) -> None:
    assert all(search_queries.number(person["email"]) == which for which, person in enumerate(sample))


def test_full_names_find_everybody_who_has_all_their_words(
    asked: Asked, sample: list[dict[str, Any]]
) -> None:
    kind = next(kind for kind in KINDS if kind.make is names.full_name)
    for query in asked[kind][:10]:
        meant = set(words(query.q))
        assert query.right == {
            which for which, person in enumerate(sample) if meant <= set(words(person["name"]))
        }


def test_parts_of_phone_numbers_are_in_nobody_elses_numbers(
    asked: Asked, sample: list[dict[str, Any]]
) -> None:
    kind = next(kind for kind in KINDS if kind.make is contacts.last_six)
    for query in asked[kind][:10]:
        texts = (f"{one.get('phone')} {one['email']} {one.get('username')}" for one in sample)
        assert query.right == {which for which, text in enumerate(texts) if query.q in text}


def test_one_typo_is_one_typo_away_and_no_exact_word_of_anybody(
    asked: Asked, sample: list[dict[str, Any]]
) -> None:
    spelled = {word for person in sample for word in words(person["name"])}
    alone = [fold(query.q) for query in _all(asked, "one typo") if re.fullmatch(r"[^\W\d]+", query.q)]
    assert len(alone) >= 10
    for typed in alone:
        assert typed not in spelled
        assert min(distance(typed, word) for word in spelled) == 1


def test_two_typos_find_nobody_within_one(asked: Asked, sample: list[dict[str, Any]]) -> None:
    spelled = {word for person in sample for word in words(person["name"])}
    alone = [fold(query.q) for query in _all(asked, "two typos") if re.fullmatch(r"[^\W\d]+", query.q)]
    assert alone
    for typed in alone:
        assert min(distance(typed, word) for word in spelled) == 2


def test_a_typo_that_spells_another_name_is_not_asked() -> None:
    directory = _named("Anna Weber", "Anna Weser", "Anna Wexer")
    made = [_typo("substitution", directory, seed) for seed in range(200)]
    assert not any(query and query.q.lower() in {"anna weser", "anna wexer"} for query in made)


@pytest.mark.parametrize("other", [{"name": "Ann Avisser"}, {"name": "A", "email": "a.visser7@example.com"}])
def test_a_typo_that_begins_somebodys_name_or_address_is_not_asked(other: dict[str, str]) -> None:
    directory = _directory({"name": "Davis"}, other)
    assert "avis" not in {query.q.lower() for query in _typos("deletion", directory)}
    assert "dais" in {query.q.lower() for query in _typos("deletion", directory)}


def test_a_typo_finds_all_who_are_as_near() -> None:
    directory = _named("Anna Weber", "Anna Weser", "Bert Wexer")
    queries = {query.q.lower(): query.right for query in _typos("substitution", directory)}
    assert queries["anna weker"] == {0, 1}


@pytest.mark.parametrize(
    ("one", "other", "typos"),
    [
        ("weber", "weber", 0),
        ("weber", "wever", 1),
        ("weber", "eber", 1),
        ("weber", "weeber", 1),
        ("weber", "ewber", 1),
        ("schneider", "shcnieder", 2),
        ("schneider", "neider", 3),
        ("", "ab", 2),
    ],
)
def test_distance_counts_each_kind_of_typo_once(one: str, other: str, typos: int) -> None:
    assert distance(one, other) == distance(other, one) == typos


@pytest.mark.parametrize("edit", ["substitution", "insertion", "deletion", "transposition"])
def test_a_misspelt_word_is_one_edit_away_at_every_place(edit: Edit) -> None:
    dice = _dice(3)
    typed = {misspell("weber", edit, dice) for _ in range(300)}
    assert {distance("weber", one) for one in typed} <= {0, 1}
    assert any(one[:1] != "w" for one in typed)
    assert any(one[-1:] != "r" for one in typed)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Müller", ("muller",)),
        ("O'Brien-Łuk", ("obrien", "luk")),
        ("ＤＡＶＩＤ", ("david",)),
        ("Strauß", ("strauss",)),
        ("Андрей Фёдоров", ("андрей", "федоров")),
        ("Κώστας", ("κωστασ",)),
        ("प्रिया शर्मा", ("प्रिया", "शर्मा")),
        ("İpek Yıldız", ("ipek", "yildiz")),
        ("van 't Hoff", ("van", "t", "hoff")),
        ("김서준", ("김서준",)),
    ],
)
def test_words_are_compared_without_case_accents_and_apostrophes(text: str, plain: tuple[str, ...]) -> None:
    assert words(text) == plain


def test_a_whole_name_is_told_from_longer_ones() -> None:
    directory = _named("Ana García", "Ana García López", "Ana María García")
    assert names.full_name(directory.known[0], directory, _dice(1)) == Query(
        "Ana García", frozenset({0, 1, 2})
    )
    assert names.whole_name(directory.known[0], directory, _dice(1)) == Query("Ana García", frozenset({0}))


def test_joined_words_find_who_has_them_apart_and_who_has_them_joined() -> None:
    directory = _named("Pieter van der Meer", "Pieter Vandermeer", "Pieter Meer", "Jan van der Meer")
    made = {names.joined(directory.known[0], directory, _dice(seed)) for seed in range(20)}
    assert Query("pieter vandermeer", frozenset({0, 1})) in made


def test_a_prefix_that_is_somebodys_city_is_not_asked() -> None:
    lives = {"name": "Max Moser", "profile": {"addresses": [{"city": "Berl"}]}}
    directory = _directory({"name": "Max Berlinger"}, lives)
    made = [names.prefix_of_last_word(directory.known[0], directory, _dice(seed)) for seed in range(30)]
    assert Query("Max Berli", frozenset({0})) in made
    assert not any(query and query.q == "Max Berl" for query in made)


def test_pinyin_is_read_as_surname_and_given_name() -> None:
    directory = _named("曾志强", "欧阳伟", "单伟", "張志明", "张志明", "佐藤 健太")
    found = {
        kind.name: [kind.make(person, directory, _dice(1)) for person in directory.known]
        for kind in east_asian.KINDS
        if kind.group == "pinyin"
    }
    assert found["pinyin, whole"] == [
        Query("zengzhiqiang", frozenset({0})),
        Query("ouyangwei", frozenset({1})),
        Query("shanwei", frozenset({2})),
        *[Query("zhangzhiming", frozenset({3, 4}))] * 2,
        None,
    ]
    assert found["pinyin, syllables"][1] == Query("ou yang wei", frozenset({1}))
    assert found["pinyin, surname and given name"][1] == Query("ouyang wei", frozenset({1}))


def test_characters_in_another_form_are_asked_in_a_kind_of_their_own() -> None:
    directory = _named("張志明", "张志明")
    assert east_asian.chinese(directory.known[0], directory, _dice(2)) is None
    made = {east_asian.other_form(directory.known[0], directory, _dice(seed)) for seed in range(9)}
    assert made == {Query("张志明", frozenset({0, 1})), None}


def test_a_national_number_has_a_zero_for_its_country() -> None:
    directory = _directory({"name": "A", "phone": "+4915123456789"}, {"name": "B", "phone": "+12125550123"})
    query = contacts.national(directory.known[0], directory, _dice(1))
    assert query
    assert re.sub(r"\D", "", query.q) == "015123456789"
    assert contacts.national(directory.known[1], directory, _dice(1)) is None


def _typo(edit: Edit, directory: Directory, seed: int) -> Query | None:
    kind = next(kind for kind in typos.KINDS if kind.name == edit)
    return kind.make(directory.known[0], directory, _dice(seed))


def _typos(edit: Edit, directory: Directory) -> Iterator[Query]:
    made = (_typo(edit, directory, seed) for seed in range(5_000))
    return (query for query in made if query)
