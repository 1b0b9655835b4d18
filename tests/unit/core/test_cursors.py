import base64
from datetime import UTC, datetime

import pytest
from bson import Int64, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from app.core.cursors import CursorSealer, Position
from app.core.errors import ExpiredCursorError, InvalidCursorError
from tests.support.clock import Clock

KEY = "0123456789abcdef0123456789abcdef"
QUERY = b"one filter and sort"
ID = ObjectId("6742f0c1a5d3b8e9f0123456")


def sealer(key: str = KEY, **options: object) -> CursorSealer:
    return CursorSealer(key, ttl_s=60, **options)  # type: ignore[arg-type]  # only `now`


@pytest.mark.parametrize(
    "value",
    [
        None, "", "ana", "张伟 \U0001f600", 0, 30, -5, Int64(2**62), 1.5, True,
        datetime(2026, 1, 31, 12, 30, 15, 123000),  # noqa: DTZ001 - rows are decoded naive, in UTC
        ID,
    ],
)  # fmt: skip
@pytest.mark.parametrize("backward", [False, True])
def test_a_position_comes_back_as_it_was_sealed(value: object, *, backward: bool) -> None:
    position = Position(segment=1, value=value, id=ID, backward=backward)
    opened = sealer().open(sealer().seal(position, QUERY), QUERY)
    assert opened == position
    assert type(opened.value) is type(value)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=128))
def test_any_sort_key_comes_back(value: str) -> None:
    assert sealer().open(sealer().seal(Position(0, value, ID), QUERY), QUERY).value == value


def test_a_cursor_shows_nothing_of_what_it_holds_and_is_safe_in_a_url() -> None:
    cursor = sealer().seal(Position(0, "ana@example.com", ID), QUERY)
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert b"ana" not in sealed
    assert cursor != sealer().seal(Position(0, "ana@example.com", ID), QUERY)


def test_a_change_of_any_character_is_found_out() -> None:
    cursor = sealer().seal(Position(0, "ana", ID), QUERY)
    for place, char in enumerate(cursor[:-1]):
        forged = cursor[:place] + ("A" if char != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(InvalidCursorError):
            sealer().open(forged, QUERY)


def test_a_shortened_cursor_is_found_out() -> None:
    cursor = sealer().seal(Position(0, "ana", ID), QUERY)
    for length in range(len(cursor)):
        with pytest.raises(InvalidCursorError):
            sealer().open(cursor[:length], QUERY)


@given(st.text(max_size=100))
def test_no_text_that_we_did_not_seal_opens(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        sealer().open(text, QUERY)


@pytest.mark.parametrize("text", ["=", "====", "\0", "ß", "A" * 4097, "A" * 4095, " ", "a b", "../..", "%00"])
def test_malformed_cursors_are_found_out(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        sealer().open(text, QUERY)


def test_the_cursor_of_another_query_does_not_open() -> None:
    with pytest.raises(InvalidCursorError):
        sealer().open(sealer().seal(Position(0, "ana", ID), QUERY), b"another filter and sort")


def test_the_cursor_of_another_directory_does_not_open() -> None:
    foreign = sealer("f" * 32).seal(Position(0, "ana", ID), QUERY)
    with pytest.raises(InvalidCursorError):
        sealer().open(foreign, QUERY)


def test_a_cursor_is_good_for_its_time_and_not_a_second_longer() -> None:
    clock = Clock()
    cursors = sealer(now=clock)
    cursor = cursors.seal(Position(0, datetime(2026, 1, 31, tzinfo=UTC), ID), QUERY)
    clock.now += 60
    cursors.open(cursor, QUERY)
    clock.now += 1
    with pytest.raises(ExpiredCursorError) as expired:
        cursors.open(cursor, QUERY)
    assert (expired.value.status, expired.value.code) == (400, "expired_cursor")
    with pytest.raises(InvalidCursorError):
        cursors.open(cursor, b"another filter and sort")
