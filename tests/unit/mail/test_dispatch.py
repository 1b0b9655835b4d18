"""When a mail is tried again, and that what became of it is written down however long MongoDB is away."""

from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from app.mail.dispatch import Dispatcher, find_delay


def test_each_delay_is_twice_as_long_give_or_take_a_quarter_up_to_an_hour() -> None:
    for tries, seconds in ((1, 15), (2, 30), (3, 60), (8, 1920), (9, 3600), (200, 3600)):
        delays = [find_delay(tries) for _ in range(200)]
        assert timedelta(seconds=0.75 * seconds) <= min(delays)
        assert max(delays) <= timedelta(seconds=1.25 * seconds)
        assert max(delays) - min(delays) > timedelta(seconds=0.25 * seconds)


class _Away:
    """A write that MongoDB takes at the third time of asking."""

    def __init__(self, failures: float) -> None:
        self.failures = failures
        self.tries = 0

    async def __call__(self) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise AutoReconnect


async def test_the_outcome_is_written_once_mongodb_is_back() -> None:
    write = _Away(2)
    await _dispatcher(claim_s=60)._insist(write)
    assert write.tries == 3


async def test_it_is_not_written_after_the_claim_has_ended() -> None:
    with pytest.raises(AutoReconnect):
        await _dispatcher(claim_s=-1)._insist(_Away(float("inf")))


def _dispatcher(*, claim_s: float) -> Dispatcher:
    outbox: Any = type("Outbox", (), {"mails": None})
    compose: Any = None
    return Dispatcher(outbox, compose, claim_s=claim_s, pause_s=0)
