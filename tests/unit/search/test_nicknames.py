"""The table of nicknames."""

from importlib import resources

import pytest

from app.search.nicknames import nicknames_of
from app.search.words import fold


@pytest.mark.parametrize(
    ("nickname", "name"),
    [
        ("bob", "robert"), ("bill", "william"), ("kate", "catherine"), ("kate", "kathryn"),
        ("liz", "elizabeth"),
        ("sasha", "alexander"), ("sasha", "aleksandra"), ("pepe", "jose"), ("paco", "francisco"),
        ("beppe", "giuseppe"), ("gosia", "malgorzata"), ("kasia", "katarzyna"),
        ("саша", "александр"), ("вова", "владимир"),
    ],
)  # fmt: skip
def test_a_nickname_and_its_name_lead_to_each_other(nickname: str, name: str) -> None:
    assert name in nicknames_of(nickname)
    assert nickname in nicknames_of(name)


def test_other_words_have_none() -> None:
    assert nicknames_of("meier") == ()


def test_each_line_has_names_and_nicknames_of_one_word() -> None:
    text = (resources.files("app.search") / "nicknames.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        names, called = (side.split() for side in line.split(":"))
        assert names
        assert called
        assert all(fold(word).isalpha() for word in (*names, *called))


def test_no_name_has_more_than_one_index_read_takes() -> None:
    text = (resources.files("app.search") / "nicknames.txt").read_text(encoding="utf-8")
    words = {fold(word) for word in text.replace(":", " ").split()}
    assert max(len(nicknames_of(word)) for word in words) <= 40
