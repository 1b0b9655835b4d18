"""Codes of names that sound alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.sounds import is_alike, sound


@pytest.mark.parametrize(
    "alike",
    [
        "catherine kathryn katharine",
        "smythesson smithesson",
        "sean shawn shaun",
        "schmitbauerin schmittbauerin shmitbaurin",
        "stephen steven",
        "philip filip",
        "geoffrey jeffrey",
        "wright rite",
        "knight nite",
        "yuriy iurii jurij yuri",
        "shcherbakov scherbakov sherbakov",
        "yevgeniy evgeny",
        "giorgos georgios yorgos",
        "mahamad mohammed muhammad",
        "sato satoh satou",
        "hyeonu hyunwoo",
        "schwarz schwartz shvarts",
        "kowalski kovalsky",
        "christopher kristofer",
        "xavier zavier",
        "hector ector",
    ],
)
def test_names_that_sound_alike_have_one_code(alike: str) -> None:
    assert len({sound(name) for name in alike.split()}) == 1


@pytest.mark.parametrize(
    "apart", ["meier weber", "anna hans", "john jean-paul", "moretti morelli", "anna na"]
)
def test_other_names_have_others(apart: str) -> None:
    one, other = apart.split()
    assert sound(one) != sound(other)


@pytest.mark.parametrize("word", ["юрий", "anna7", "@example.com", "", "aeiou", "y"])
def test_what_is_no_latin_name_has_none(word: str) -> None:
    assert sound(word) == ""


@given(st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=32))
def test_a_code_is_no_longer_than_its_word_with_a_letter_for_each_x(word: str) -> None:
    assert len(sound(word)) <= len(word) + word.count("x") + 1


@pytest.mark.parametrize(
    "alike",
    [
        "kathryn catherine",
        "shawn sean",
        "schmidpowerin schmitbauerin",
        "muhammad mhmd",
        "moshe mashah",
        "meyer maier",
        "rite wright",
    ],
)
def test_names_of_one_sound_and_alike_letters_may_be_meant_by_each_other(alike: str) -> None:
    one, other = alike.split()
    assert is_alike(one, other)
    assert is_alike(other, one)


@pytest.mark.parametrize(
    "apart",
    ["xyzzy souza", "qqqq xu", "qqqq ko", "seth sato", "seth satou", "zzyzx sasaki", "leo lee", "anna hans"],
)
def test_a_sound_alone_is_not_enough(apart: str) -> None:
    one, other = apart.split()
    assert not is_alike(one, other)
