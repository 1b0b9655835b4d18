"""How long the next try waits."""

from datetime import timedelta

import pytest

from app.webhooks.deliveries import PAUSES_S, find_pause
from app.webhooks.sender import Outcome, _read_later

_FAILED = Outcome(500, "status", 1)


def test_tries_go_on_for_three_days_each_later_than_the_one_before() -> None:
    pauses = [find_pause(tries, _FAILED) for tries in range(1, len(PAUSES_S) + 1)]
    assert sum((pause for pause in pauses if pause), timedelta()) > timedelta(days=2, hours=12)
    assert sum(PAUSES_S) > timedelta(days=3).total_seconds()
    assert None not in pauses
    assert find_pause(len(PAUSES_S) + 1, _FAILED) is None


def test_pauses_differ_so_that_tries_do_not_come_back_in_step() -> None:
    assert len({find_pause(3, _FAILED) for _ in range(20)}) > 1


def test_a_later_time_that_the_receiver_asks_for_is_kept() -> None:
    asked = Outcome(503, "status", 1, retry_after_s=4_000)
    assert find_pause(1, asked) == timedelta(seconds=4_000)
    assert (find_pause(10, asked) or timedelta()) > timedelta(seconds=4_000)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0), ("120", 120), ("9999999", 86_400), ("soon", 0), ("-5", 0),
        ("Fri, 31 Jan 2020 08:00:00 GMT", 0), ("Fri, 31 Jan 2098 08:00:00 GMT", 86_400),
        ("Fri, 31 Jan 2098 08:00:00 -0000", 0),
    ],
)  # fmt: skip
def test_retry_after_is_read_and_bounded(text: str | None, seconds: float) -> None:
    assert _read_later(text) == seconds
