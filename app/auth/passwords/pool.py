"""A pool of threads for hashing, with bounds on running and waiting work."""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from app.core.errors import TooManySignInsError
from app.core.limits import CURRENT, AdaptiveLimit, Keys, Limiter, Turn
from app.monitoring.metrics import REFUSED

Result = TypeVar("Result")
AtTurn = Callable[[], Awaitable[None]]

_LOWEST_PRIORITY = 19
_IN_THE_WINGS = 1
"""Turns given ahead, so that `at_turn` runs while the threads still work for others."""


class HashingPool:
    """One per process, for one event loop; work starts in the order in which it came."""

    def __init__(self, *, threads: int, waiting: int) -> None:
        """`threads` of 0: one for each core. At most `waiting` callers wait for a turn."""
        self._most_running = threads or _count_cores()
        self._threads = ThreadPoolExecutor(self._most_running, "passwords", _step_back)
        ahead = min(_IN_THE_WINGS, waiting)
        turns = self._most_running + ahead
        self._turns = Limiter(AdaptiveLimit(turns, least=turns), most_waiting=waiting - ahead)

    @property
    def running(self) -> int:
        return min(self._turns.in_service, self._most_running)

    @property
    def waiting(self) -> int:
        return self._turns.waiting + self._turns.in_service - self.running

    async def run(self, work: Callable[[], Result], at_turn: AtTurn | None = None) -> Result:
        """Run `work` in a thread when its turn has come, after awaiting `at_turn`, which may raise.

        Raises `TooManySignInsError` at once if too many wait.
        """
        turn = await self._wait_for_turn()
        try:
            if at_turn is not None:
                await at_turn()
            job = self._threads.submit(work)
        except BaseException:
            turn.leave()
            raise
        # Not in a `finally` around the await: a cancelled caller leaves a working thread behind, and with its
        # turn given back more would pile up, each with its memory. And before awaiting the result, so that
        # the turn is free once the caller has it.
        loop = asyncio.get_running_loop()
        job.add_done_callback(lambda _: _give_back(turn, loop))
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """End the threads after their current work, without waiting for them."""
        self._threads.shutdown(wait=False)

    def check_room(self) -> None:
        """Raise `TooManySignInsError` if `run` would; call it before reading anything."""
        if self._turns.would_refuse(_keys(CURRENT.get())):
            raise _too_many()

    async def _wait_for_turn(self) -> Turn:
        """Wait for a turn; the request gives back its slot among requests meanwhile."""
        request = CURRENT.get()
        if request is not None:
            request.leave()
        turn = await self._turns.acquire(_keys(request))
        if turn is None:
            raise _too_many()
        return turn


def _keys(request: Turn | None) -> Keys:
    return () if request is None else request.find_keys()


def _too_many() -> TooManySignInsError:
    REFUSED.labels("sign_ins").inc()
    return TooManySignInsError("Too many passwords are waiting to be checked: try again soon.")


def _give_back(turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
    with suppress(RuntimeError):  # the loop has closed, and nobody waits
        loop.call_soon_threadsafe(turn.leave)


def _count_cores() -> int:
    """The cores that this process may use: a container may have fewer than the machine."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _step_back() -> None:
    """Lower this thread's priority, so that a storm of sign-ins leaves the CPU to other work.

    That is the event loop with all requests, and MongoDB and Redis on the same machine: a read takes a
    millisecond, a hash tens of them, and twice that is tolerable. The price: while others keep every core
    busy, sign-ins wait. Only Linux gives each thread a priority of its own; elsewhere this would slow the
    whole process down.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid the call; hashing goes on without it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
