import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spreadsheets.formulas import FIRST, guard, unguard

pieces = st.sampled_from(
    ["'", "=", "+", "-", "@", "\t", "\r", "\n", "\0", " ", "\xa0", "\u200b", "\ufeff", "＝", "a"]
)
texts = st.text() | st.lists(pieces).map("".join)


@given(texts)
def test_unguarding_gives_back_whatever_was_guarded(text: str) -> None:
    assert unguard(guard(text)) == text


@given(texts)
def test_a_guarded_text_starts_with_nothing_that_a_spreadsheet_would_run(text: str) -> None:
    guarded = guard(text)
    assert not guarded.strip().startswith(tuple("=+-@＝＋－＠"))
    assert not guarded.startswith(("\t", "\r", "\n", "\0"))


@given(texts)
def test_a_text_that_starts_with_no_risky_character_is_left_alone(text: str) -> None:
    assert text[:1] in FIRST or guard(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "=1",
            "+49",
            "-1",
            "@x",
            "\tx",
            "\rx",
            "\nx",
            "\0x",
            " =1",
            "\xa0=1",
            "\u200b=1",
            "\ufeff=1",
            "\u200f=1",
        ),
        *("＝1", "＋1", "－1", "＠x", "﹦1", " \t =1", "'=1", "''＝1"),
    ],
)
def test_a_dangerous_text_or_one_that_looks_guarded_gets_one_quote(text: str) -> None:
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "'", "'tis", "a=1", " a", "1-1", "O'Neil", "\xa0", "5"])
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    assert guard(text) == text == unguard(text)
