import asyncio
from collections.abc import Callable

import pytest

from app.core.limits import AdaptiveLimit, Group, Keys, Limiter, Turn
from tests.support.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1000.0)
    monkeypatch.setattr("app.core.limits.limiter.monotonic", clock)
    return clock


class Request(Turn):
    def __init__(self, limiter: Limiter, *keys: str) -> None:
        super().__init__(limiter)
        self._mine: Keys = keys or ("address", b"")
        self.was_refused = self.has_begun = False

    def begin(self) -> None:
        self.has_begun = True

    def refuse(self) -> None:
        self.was_refused = True

    def find_keys(self) -> Keys:
        return self._mine


@pytest.fixture
def limiter() -> Limiter:
    """Two at once, of which each takes 10 ms."""
    return Limiter(AdaptiveLimit(2, least=2), most_waiting=1_000, longest_wait_s=5, sweep_s=0.001)


def enter(limiter: Limiter, count: int, *keys: str) -> list[Request]:
    requests = [Request(limiter, *keys) for _ in range(count)]
    for request in requests:
        request.enter()
    return requests


async def test_as_many_begin_as_there_are_slots_and_the_next_when_one_is_given_back(limiter: Limiter) -> None:
    first, second, third = enter(limiter, 3)
    assert (first.has_begun, second.has_begun, third.has_begun) == (True, True, False)
    assert (limiter.in_service, limiter.waiting, limiter.refused) == (2, 1, 0)
    first.leave()
    first.leave()
    assert third.has_begun
    assert (limiter.in_service, limiter.waiting) == (2, 0)


async def test_a_burst_waits_and_a_queue_that_stands_takes_no_more_than_can_be_done_in_time(
    limiter: Limiter, clock: Clock
) -> None:
    burst = enter(limiter, 502)
    assert not any(request.was_refused for request in burst)
    clock.now += 0.3
    (late,) = enter(limiter, 1)
    assert late.was_refused
    for request in burst[:401]:
        request.leave()
    (early,) = enter(limiter, 1)
    assert not early.was_refused
    assert limiter.refused == 1


async def test_a_burst_is_bounded() -> None:
    limiter = Limiter(AdaptiveLimit(2, least=2), most_waiting=3)
    requests = enter(limiter, 7)
    assert [request.was_refused for request in requests] == [False] * 5 + [True] * 2


async def test_one_senders_flood_takes_no_place_of_others(limiter: Limiter, clock: Clock) -> None:
    enter(limiter, 500, "flooder")
    clock.now += 0.3
    (refused,) = enter(limiter, 1, "flooder")
    (other,) = enter(limiter, 1, "other")
    assert (refused.was_refused, other.was_refused) == (True, False)
    flood = enter(limiter, 5, "other")
    assert not any(request.was_refused for request in flood)


async def test_a_turn_that_was_left_is_not_begun(limiter: Limiter) -> None:
    first, _, gone, last = enter(limiter, 4)
    gone.leave()
    first.leave()
    assert (gone.has_begun, last.has_begun) == (False, True)


async def test_what_waits_behind_work_that_hangs_is_refused_after_all(limiter: Limiter, clock: Clock) -> None:
    hanging = enter(limiter, 2)
    (waiting,) = enter(limiter, 1)
    clock.now += 4.9
    (young,) = enter(limiter, 1)
    clock.now += 0.2
    await until(lambda: waiting.was_refused)
    assert (young.was_refused, limiter.waiting) == (False, 1)
    hanging[0].leave()
    assert young.has_begun


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 a timer makes it true
            await asyncio.sleep(0)


async def test_an_awaited_turn_comes_when_one_is_given_back() -> None:
    limiter = Limiter(AdaptiveLimit(1, least=1), most_waiting=1)
    first = await limiter.acquire()
    assert first
    second = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    assert await limiter.acquire() is None
    first.leave()
    assert await second is not None
    assert limiter.in_service == 1


@pytest.mark.parametrize("begins", [False, True])
async def test_a_cancelled_turn_leaves_the_slot_to_others(*, begins: bool) -> None:
    limiter = Limiter(AdaptiveLimit(1, least=1), most_waiting=1)
    first = await limiter.acquire()
    assert first
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    if begins:
        first.leave()
        waiting.cancel()
    else:
        waiting.cancel()
        first.leave()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (limiter.in_service, limiter.waiting) == (0, 0)


async def test_a_limit_is_divided_by_weight_among_the_kinds_for_which_something_waits() -> None:
    group = Group()
    cheap, costly = (
        Limiter(AdaptiveLimit(10, least=10), most_waiting=1_000, group=group, weight=weight)
        for weight in (4, 1)
    )
    enter(costly, 10)
    assert (cheap.limit, costly.limit) == (10, 10)
    at_work = enter(cheap, 11)[:10]
    assert (cheap.limit, costly.limit) == (10, 2)
    enter(costly, 1)
    assert (cheap.limit, costly.limit) == (8, 2)
    for request in at_work[:3]:
        request.leave()  # the first makes room for the one that waits; then none waits
    assert (cheap.in_service, cheap.waiting, costly.limit) == (8, 0, 10)


async def test_every_kind_keeps_a_slot_however_little_it_weighs() -> None:
    group = Group()
    heavy, light = (
        Limiter(AdaptiveLimit(2, least=2), most_waiting=1_000, group=group, weight=weight)
        for weight in (9, 1)
    )
    enter(heavy, 3)
    assert light.limit == 1
