"""Readings of Korean names."""

import unicodedata

import pytest

from app.search.han import Reading
from app.search.korean import read, read_all


@pytest.mark.parametrize(
    ("name", "surname", "given"),
    [
        ("김서준", "kim", "seojun"),
        ("이지우", "lee", "jiwoo"),
        ("박현우", "park", "hyunwoo"),
        ("박현우", "bak", "hyeonu"),
        ("최영희", "choi", "younghee"),
        ("황보관", "hwangbo", "gwan"),
        (unicodedata.normalize("NFD", "홍길동"), "hong", "gildong"),
    ],
)
def test_surname_and_given_name_are_spelled_as_people_do(name: str, surname: str, given: str) -> None:
    reading = read(name)
    assert reading is not None
    assert surname in reading.surname
    assert given in reading.given


def test_a_name_has_its_syllables_and_its_initial_consonants() -> None:
    assert read("남궁민준호") == Reading(
        surname=("namgung",),
        given=("minjunho", "minjoonho"),
        whole=("namgungminjunho",),
        syllables=("min", "jun", "ho", "joon"),
        initials=("ᄂᄀᄆᄌᄒ", "ᄆᄌᄒ"),
    )


def test_a_surname_with_a_space_after_it_is_read_with_the_given_name() -> None:
    assert list(read_all(["김", "서준"])) == list(read_all(["김서준"]))


def test_words_of_a_longer_name_are_read_one_by_one() -> None:
    assert [reading.whole for reading in read_all(["마리아", "슈미트"])] == [("maria",), ("syumiteu",)]


def test_what_is_no_syllable_is_not_read() -> None:
    assert read("ᄀᄂ") is None
