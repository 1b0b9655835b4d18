import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.passwords.text import encode, find_spellings, prepare

TEXT = st.text(max_size=40)


@given(TEXT)
def test_a_prepared_password_stays_as_it_is(text: str) -> None:
    assert prepare(prepare(text)) == prepare(text)


@given(TEXT)
def test_however_a_keyboard_composes_a_password_it_is_prepared_to_the_same(text: str) -> None:
    assert prepare(unicodedata.normalize("NFD", text)) == prepare(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("typed", "prepared"),
    [
        ("PassWord", "PassWord"),
        ("cafe\u0301 noir", "caf\u00e9 noir"),
        ("a\u00a0b\u3000c\u2003d\u1680e\u202ff", "a b c d e f"),
        ("\u1100\u1161\u11a8", "각"),
        ("ｐａｓｓ", "ｐａｓｓ"),
        ("ﬁsh²", "ﬁsh²"),
    ],
)
def test_preparing_composes_and_makes_spaces_plain_and_folds_nothing(typed: str, prepared: str) -> None:
    assert prepare(typed) == prepared


def test_every_space_there_is_becomes_the_plain_one() -> None:
    spaces = "".join(char for char in map(chr, range(0x110000)) if unicodedata.category(char) == "Zs")
    assert prepare(spaces) == " " * 17


def test_a_password_has_a_second_spelling_only_if_preparing_changes_it() -> None:
    assert find_spellings("plain") == ["plain"]
    assert find_spellings("e\u0301") == ["\u00e9", "e\u0301"]


def test_a_lone_surrogate_is_encoded_like_no_text() -> None:
    with pytest.raises(UnicodeDecodeError):
        encode("\ud800").decode()
