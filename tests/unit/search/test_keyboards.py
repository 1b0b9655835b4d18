"""Text typed with the keyboard set to another layout."""

import pytest

from app.search.keyboards import other_layouts
from app.search.query_parser import parse, retype


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (".hbq tkjxrbycrbq", "юрий елочкинский"),
        ("J,kjvjd", "Обломов"),
        ('"lef', "Эдуа"),
        ("Bsrj", "Иіко"),
        ("ыьшер", "smith"),
        ("Ьгддук", "Muller"),
    ],
)
def test_the_same_keys_in_another_layout(typed: str, meant: str) -> None:
    assert meant in other_layouts(typed)


def test_text_without_such_keys_is_in_no_other_layout() -> None:
    assert not list(other_layouts("123 45"))
    assert not list(other_layouts("王小明"))


def test_punctuation_keys_are_letters_of_the_query() -> None:
    retyped = retype(parse(".hbq tkjxrbycrbq"))
    assert [[term.text for term in query.terms] for query in retyped] == [["юрии", "елочкинскии"]]


@pytest.mark.parametrize("q", ['"ghbdtn"', "name:ghbdtn", "123"])
def test_what_says_how_it_is_to_be_read_is_not_read_otherwise(q: str) -> None:
    assert retype(parse(q)) == []
