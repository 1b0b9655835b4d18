"""Which words a process remembers to be in the dictionary."""

import pytest

from app.search.dictionary import Known


@pytest.fixture
def known() -> Known:
    return Known(4)


def test_what_is_met_again_stays_and_what_is_met_once_goes(known: Known) -> None:
    known.add({"anna": False})
    for number in range(100):
        known.add({f"once{number}": True})
        assert known.has("anna", is_login=False)
    left = [number for number in range(100) if known.has(f"once{number}", is_login=True)]
    assert left[-1] == 99
    assert len(left) <= 8


def test_a_word_of_emails_is_news_when_it_stands_in_a_name(known: Known) -> None:
    known.add({"anna": True, "berg": False})
    assert known.has("anna", is_login=True)
    assert not known.has("anna", is_login=False)
    assert known.has("berg", is_login=True)
    known.add({"anna": False})
    assert known.has("anna", is_login=False)


def test_nothing_is_known_that_was_not_added_or_was_cleared(known: Known) -> None:
    assert not known.has("anna", is_login=True)
    known.add({"anna": False})
    known.clear()
    assert not known.has("anna", is_login=True)
