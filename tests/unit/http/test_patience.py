"""`Prefer: wait=N` (RFC 7240)."""

import pytest

from app.http.dependencies import _patience


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=10", 10),
        ("wait=0", 0),
        ("wait=31", 30),
        ("wait=999999", 30),
        ("respond-async, wait=5", 5),
        ("respond-async;wait=5", 5),
        ('WAIT = "7" , x=1', 7),
    ],
)
async def test_the_wait_is_read_and_bounded(prefer: str, seconds: int) -> None:
    assert await _patience(prefer) == seconds


@pytest.mark.parametrize(
    "prefer",
    [None, "", "wait", "wait=", "wait=x", "wait=-1", "await=5", "wait=٣", "x wait=5"],
)
async def test_what_is_no_wait_is_ignored(prefer: str | None) -> None:
    assert await _patience(prefer) is None
