import asyncio
import os
import random
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from app.auth.passwords.pool import HashingPool
from app.core.errors import ThrottledError, TooManySignInsError


class Gauge:
    """Work that waits for a sign, and how much of it is done at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.now = self.most = self.done = 0
        self._lock = threading.Lock()

    def work(self) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.go.wait(60)
        with self._lock:
            self.now -= 1
            self.done += 1
        return threading.get_native_id()


@pytest.fixture
def gauge() -> Iterator[Gauge]:
    gauge = Gauge()
    yield gauge
    gauge.go.set()


@pytest.fixture
async def pool() -> AsyncIterator[HashingPool]:
    pool = HashingPool(threads=2, waiting=100)
    yield pool
    pool.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 it is threads that make it true
            await asyncio.sleep(0.001)


async def check_every_turn_is_free(pool: HashingPool, threads: int) -> None:
    """As many as have turns meet in `at_turn`: they hold them all at the same time."""
    meeting = asyncio.Barrier(threads)

    async def meet() -> None:
        async with asyncio.timeout(60):
            await meeting.wait()

    await asyncio.gather(*(pool.run(int, meet) for _ in range(threads)))


async def test_a_storm_is_worked_off_by_the_threads_there_are(pool: HashingPool, gauge: Gauge) -> None:
    storm = [asyncio.create_task(pool.run(gauge.work)) for _ in range(100)]
    await until(lambda: gauge.now == 2)
    gauge.go.set()
    assert len(set(await asyncio.gather(*storm))) == 2
    assert (gauge.most, gauge.done) == (2, 100)


async def test_work_starts_in_the_order_in_which_it_came(gauge: Gauge) -> None:
    pool = HashingPool(threads=1, waiting=20)
    order: list[int] = []

    async def come(number: int) -> None:
        async def note() -> None:
            order.append(number)

        await pool.run(gauge.work, note)

    gauge.go.set()
    await asyncio.gather(*map(come, range(20)))
    pool.close()
    assert order == list(range(20))


async def test_one_more_than_may_wait_is_refused_at_once(gauge: Gauge) -> None:
    pool = HashingPool(threads=1, waiting=2)
    taken = [asyncio.create_task(pool.run(gauge.work)) for _ in range(3)]
    await until(lambda: gauge.now == 1)
    for _ in range(5):
        with pytest.raises(TooManySignInsError):
            pool.check_room()
        with pytest.raises(TooManySignInsError) as caught:
            await pool.run(gauge.work)
    assert (caught.value.status, caught.value.code) == (503, "too_many_sign_ins")
    assert caught.value.headers == {"Retry-After": "1"}
    gauge.go.set()
    await asyncio.gather(*taken)
    pool.check_room()
    await pool.run(gauge.work)
    pool.close()
    assert gauge.done == 4


async def test_where_none_may_wait_a_free_turn_is_still_given(gauge: Gauge) -> None:
    pool = HashingPool(threads=1, waiting=0)
    first = asyncio.create_task(pool.run(gauge.work))
    await until(lambda: gauge.now == 1)
    with pytest.raises(TooManySignInsError):
        await pool.run(gauge.work)
    gauge.go.set()
    await first
    await check_every_turn_is_free(pool, 1)
    pool.close()


async def test_a_cancelled_caller_keeps_its_turn_until_its_thread_is_done(
    pool: HashingPool, gauge: Gauge
) -> None:
    gone = [asyncio.create_task(pool.run(gauge.work)) for _ in range(2)]
    await until(lambda: gauge.now == 2)
    turns: list[int] = []

    async def note() -> None:
        turns.append(gauge.now)

    next_one = asyncio.create_task(pool.run(gauge.work))
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    assert all(task.cancelled() for task in gone)
    waiting = asyncio.create_task(pool.run(int, note))
    for _ in range(20):
        await asyncio.sleep(0)
    assert turns == []
    gauge.go.set()
    await asyncio.gather(next_one, waiting)
    assert len(turns) == 1
    await check_every_turn_is_free(pool, 3)


async def test_a_turn_comes_while_the_threads_still_work_for_others(pool: HashingPool, gauge: Gauge) -> None:
    busy = [asyncio.create_task(pool.run(gauge.work)) for _ in range(2)]
    await until(lambda: gauge.now == 2)
    asked = asyncio.Event()

    async def ask() -> None:
        asked.set()

    waiting = [asyncio.create_task(pool.run(gauge.work, ask)) for _ in range(2)]
    await asked.wait()
    assert (pool.running, pool.waiting, gauge.most) == (2, 2, 2)
    gauge.go.set()
    await asyncio.gather(*busy, *waiting)
    assert (pool.running, pool.waiting, gauge.most, gauge.done) == (0, 0, 2, 4)


async def test_callers_cancelled_while_they_wait_leave_their_places_to_others(gauge: Gauge) -> None:
    pool = HashingPool(threads=1, waiting=3)
    first = asyncio.create_task(pool.run(gauge.work))
    await until(lambda: gauge.now == 1)
    for _ in range(3):
        waiting = [asyncio.create_task(pool.run(gauge.work)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TooManySignInsError):
            await pool.run(gauge.work)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    gauge.go.set()
    await first
    assert gauge.done == 1
    await check_every_turn_is_free(pool, 1)
    pool.close()


async def test_an_error_at_the_turn_ends_the_call_and_gives_the_turn_back(
    pool: HashingPool, gauge: Gauge
) -> None:
    async def refuse() -> None:
        raise ThrottledError(7)

    for _ in range(5):
        with pytest.raises(ThrottledError):
            await pool.run(gauge.work, refuse)
    assert gauge.most == 0
    await check_every_turn_is_free(pool, 3)


async def test_a_caller_cancelled_at_its_turn_gives_it_back(pool: HashingPool, gauge: Gauge) -> None:
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(pool.run(gauge.work, hang))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gauge.most == 0
    await check_every_turn_is_free(pool, 3)


async def test_an_error_of_the_work_reaches_the_caller_and_gives_the_turn_back(pool: HashingPool) -> None:
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 / 0)
    await check_every_turn_is_free(pool, 3)


async def test_callers_that_leave_at_random_leak_nothing(pool: HashingPool, gauge: Gauge) -> None:
    gauge.go.set()
    chance = random.Random(5)  # noqa: S311 the same every time

    async def yield_once() -> None:
        await asyncio.sleep(0)

    for _ in range(30):
        tasks = [asyncio.create_task(pool.run(gauge.work, yield_once)) for _ in range(20)]
        for task in chance.sample(tasks, 12):
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert gauge.most <= 2
    await check_every_turn_is_free(pool, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_threads_of_the_pool_and_no_others_step_back(pool: HashingPool) -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def read_priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await pool.run(read_priority) == 19
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
    assert await asyncio.to_thread(read_priority) == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the affinity cannot be asked for")
async def test_no_number_of_threads_means_one_for_each_core_that_may_be_used(gauge: Gauge) -> None:
    pool = HashingPool(threads=0, waiting=200)
    cores = len(os.sched_getaffinity(0))
    storm = [asyncio.create_task(pool.run(gauge.work)) for _ in range(cores + 5)]
    await until(lambda: gauge.now == cores)
    gauge.go.set()
    await asyncio.gather(*storm)
    pool.close()
    assert gauge.most == cores


async def test_a_closed_pool_ends_its_threads_and_takes_nothing_more(gauge: Gauge) -> None:
    pool = HashingPool(threads=1, waiting=1)
    gauge.go.set()
    worker = await pool.run(gauge.work)
    pool.close()
    await until(lambda: worker not in {thread.native_id for thread in threading.enumerate()})
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await pool.run(gauge.work)


def test_a_thread_that_outlives_its_event_loop_ends_in_silence(
    gauge: Gauge, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    pool = HashingPool(threads=1, waiting=1)

    async def leave() -> None:
        task = asyncio.create_task(pool.run(gauge.work))
        await until(lambda: gauge.now == 1)
        task.cancel()

    asyncio.run(leave())
    (thread,) = set(threading.enumerate()) - before
    pool.close()
    gauge.go.set()
    thread.join(60)
    assert gauge.done == 1
    assert capsys.readouterr().err == ""
