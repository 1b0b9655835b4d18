import unicodedata
from collections.abc import Iterator

import pytest

from app.imports import booleans
from app.imports.conversion import converter


def words() -> Iterator[tuple[str, bool]]:
    for table in (booleans.EXCEL, booleans.LIBREOFFICE):
        said = table.split()
        yield from ((word, True) for word in said[1::3])
        yield from ((word, False) for word in said[2::3])


@pytest.mark.parametrize(("word", "said"), [*words()])
def test_every_word_of_every_language_is_read_in_any_case_and_form(word: str, said: bool) -> None:  # noqa: FBT001
    convert = converter("is_active")
    assert convert is not None
    for form in (
        word,
        word.lower(),
        word.title(),
        f" {word}\N{NO-BREAK SPACE}",
        unicodedata.normalize("NFD", word),
    ):
        assert convert(form) is said, form


def test_no_word_means_both() -> None:
    means: dict[str, set[bool]] = {}
    for word, said in words():
        means.setdefault(word, set()).add(said)
    assert [word for word, both in means.items() if len(both) > 1] == []


def test_a_turkish_small_letter_without_a_dot_is_known() -> None:
    assert (booleans.read("yanlış"), booleans.read("YANLIŞ"), booleans.read("doğru")) == (False, False, True)
