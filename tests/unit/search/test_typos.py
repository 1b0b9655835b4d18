import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.search.typos import beginnings, distance, endings, half_typed, is_begun_near, neighbourhood

LETTERS = "abcdeñя"
WORD = st.text(LETTERS, min_size=4, max_size=14)


def edits(word: str) -> st.SearchStrategy[str]:
    """The word after one letter is added, left out, replaced or swapped with the next."""
    place, letter = st.integers(0, len(word) - 1), st.sampled_from(LETTERS)
    return st.one_of(
        st.builds(lambda at, new: word[:at] + new + word[at:], place, letter),
        st.builds(lambda at: word[:at] + word[at + 1 :], place),
        st.builds(lambda at, new: word[:at] + new + word[at + 1 :], place, letter),
        st.builds(lambda at: word[:at] + word[at : at + 2][::-1] + word[at + 2 :], place),
    )


def test_a_neighbourhood_is_the_word_without_one_or_two_letters() -> None:
    assert neighbourhood("li") == ["li"]
    assert neighbourhood("anna") == ["anna", "ann", "ana", "nna"]
    assert set(neighbourhood("martin")) >= {"martin", "matin", "main"}
    assert neighbourhood("") == [""]


def test_only_the_beginning_of_a_word_has_a_neighbourhood() -> None:
    assert neighbourhood("christopherson") == neighbourhood("christoph")
    assert len(neighbourhood("abcdefghijkl")) == 1 + 9 + 36


@given(st.data())
def test_words_with_one_typo_share_a_token(data: st.DataObject) -> None:
    word = data.draw(WORD)
    assert set(neighbourhood(word)) & set(neighbourhood(data.draw(edits(word))))


@given(st.data())
def test_words_of_five_letters_with_two_typos_share_a_token(data: st.DataObject) -> None:
    word = data.draw(WORD)
    assume(len(word) >= 5)
    typed = data.draw(edits(data.draw(edits(word))))
    assert set(neighbourhood(word)) & set(neighbourhood(typed))


@given(st.data())
def test_a_half_typed_word_with_a_typo_shares_a_token_with_the_whole_one(data: st.DataObject) -> None:
    word = data.draw(WORD)
    begun = word[: data.draw(st.integers(4, len(word)))]
    typed = data.draw(edits(begun))
    assume(len(typed) >= 4)
    assume(len(typed) < len(word))
    assert is_begun_near(typed, word)
    assert set(beginnings(word)) & set(half_typed(typed))


def test_a_beginning_further_off_is_not_near() -> None:
    assert is_begun_near("jonm", "jonker")
    assert is_begun_near("jon", "jonker")
    assert not is_begun_near("jxxk", "jonker")
    assert not is_begun_near("onker", "jo")


def test_beginnings_are_of_four_to_six_letters() -> None:
    assert beginnings("ann") == []
    assert beginnings("anna") == ["~nna", "~ana", "~ann"]
    assert len(beginnings("katharina")) == 4 + 5 + 6
    assert half_typed("katharina") == half_typed("kathar")


def test_endings_are_of_three_letters_or_more() -> None:
    assert endings("smith") == ["mith", "ith"]
    assert endings("ann") == []
    assert len(endings("a" * 32)) == 13


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("schmidt", "schmidt", 0),
        ("schmidt", "schmit", 1),
        ("schmidt", "schmitd", 1),
        ("schmidt", "schmiddt", 1),
        ("schmidt", "schmudt", 1),
        ("schmidt", "shmitd", 2),
        ("schmidt", "meier", None),
        ("мария", "марйя", 1),
    ],
)
def test_a_distance_counts_edits_and_swaps_up_to_the_limit(
    one: str, other: str, expected: int | None
) -> None:
    assert distance(one, other, 2) == distance(other, one, 2) == expected
