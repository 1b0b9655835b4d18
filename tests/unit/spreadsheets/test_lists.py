import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spreadsheets.lists import BrokenListError, join, split
from tests.support.imports import TRICKY


@pytest.mark.parametrize(
    "text",
    [
        "mobile,vip",
        " mobile ;vip;",
        "mobile\nvip",
        "mobile\r\n\r\nvip",
        "mobile,\nvip",
        '["mobile","vip"]',
        '[\n  "mobile",\n  "vip"\n]',
        r'["mob\u0069le","vip"]',
        "['mobile', 'vip']",
        "[ 'mobile', \"vip\" ]",
        "('mobile', 'vip')",
        "{'mobile', 'vip'}",
        "[mobile, vip]",
        "{mobile,vip}",
        '"mobile","vip"',
        '"mobile"\n"vip"',
        "['mobile' ; 'vip']",
        '["mobile","vip",""]',
    ],
)
def test_a_list_is_read_however_it_is_written(text: str) -> None:
    assert split(text) == ["mobile", "vip"]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        (" ", []),
        ("[]", []),
        ("{}", []),
        ("[2024, 1.5]", ["2024", "1.5"]),
        ("['mobile']", ["mobile"]),
        ('["it\'s", "b"]', ["it's", "b"]),
        ("[staff]", ["[staff]"]),
        ("[a],[b]", ["[a]", "[b]"]),
        ("(old) staff, vip", ["(old) staff", "vip"]),
        ("'s-Gravenhage, x", ["'s-Gravenhage", "x"]),
        ('say "hi", x', ['say "hi"', "x"]),
    ],
)
def test_texts_that_only_look_like_a_list_are_items(text: str, items: list[str]) -> None:
    assert split(text) == items


@pytest.mark.parametrize(
    "text",
    [
        '["mobile"', '["mobile", "vip"', '["mobile", vip]', "[mobile, vip", "['a', b]", '"a", b', '"a',
        "[1, null]", '[["a"]]', '[{"a": 1}]', "[true]", "{a, b", '["a"] x', "[",
    ],
)  # fmt: skip
def test_a_broken_list_is_refused(text: str) -> None:
    with pytest.raises(BrokenListError):
        split(text)


_item = st.one_of(
    st.sampled_from([text.strip() for text in TRICKY if not set(",;\r\n") & set(text) and text.strip()]),
    st.text(st.sampled_from("[]{}()\"'ab \\")).map(str.strip).filter(bool),
)


@given(st.lists(_item, max_size=4))
def test_what_was_joined_is_split_again(items: list[str]) -> None:
    assert split(join(items)) == items
