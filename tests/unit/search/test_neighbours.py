"""Spellings one edit away, and the words of which they are looked up."""

import pytest

from app.search.neighbours import is_numbered, respelt
from app.search.typos import distance


@pytest.mark.parametrize("word", ["castle41", "4you", "a1", "é2"])
def test_words_of_letters_and_digits_are_numbered(word: str) -> None:
    assert is_numbered(word)


@pytest.mark.parametrize("word", ["castle", "4711", "@example1.com", "", "a_1"])
def test_other_words_are_not(word: str) -> None:
    assert not is_numbered(word)


def test_spellings_are_all_that_one_edit_makes() -> None:
    spellings = set(respelt("ab1", "ab1x", upto=3))
    assert {"b1", "a1", "ab", "ba1", "a1b", "xab1", "ab1x", "axb1", "xb1", "ax1", "abx"} <= spellings
    assert all(distance(one, "ab1", 1) is not None for one in spellings)


def test_only_the_first_letters_are_edited() -> None:
    assert all(one.endswith("@example.com") for one in respelt("anna@example.com", "x", upto=2))
