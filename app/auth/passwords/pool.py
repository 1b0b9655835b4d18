"""Threads for work that is heavy in CPU and memory: so much at a time, so much waiting, no more."""

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
"""Turns given ahead: what is awaited at a turn is awaited while the threads still work for others."""


class HashingPool:
    """One per process, used from one event loop; work starts in the order in which it came."""

    def __init__(self, *, threads: int, waiting: int) -> None:
        """`threads` of 0: one for each core. `waiting` callers at most wait for a turn."""
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
        """Do `work` in a thread, after awaiting `at_turn` once its turn has come; what that raises ends it.

        Raises `TooManySignInsError` at once where too many wait.
        """
        turn = await self._wait_for_turn()
        try:
            if at_turn is not None:
                await at_turn()
            job = self._threads.submit(work)
        except BaseException:
            turn.leave()
            raise
        # Not in a `finally` round the await: a cancelled caller leaves a thread behind that still works, and
        # its turn given on would let more of them pile up, each with its memory. And before the answer is
        # asked for: whoever has the answer finds the turn free again.
        loop = asyncio.get_running_loop()
        job.add_done_callback(lambda _: _give_back(turn, loop))
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """End the threads as soon as they have done what they are at; does not wait for them."""
        self._threads.shutdown(wait=False)

    def check_room(self) -> None:
        """Raises `TooManySignInsError` if `run` would: before anything is looked up for it."""
        if self._turns.would_refuse(_keys(CURRENT.get())):
            raise _too_many()

    async def _wait_for_turn(self) -> Turn:
        """The request gives back its slot among those of its kind: it is another queue that it waits in."""
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
    with suppress(RuntimeError):  # the loop has closed: nobody waits for a turn any more
        loop.call_soon_threadsafe(turn.leave)


def _count_cores() -> int:
    """Those that this process may use: a container may be held to fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _step_back() -> None:
    """Lower this thread's priority, so that a storm of sign-ins leaves the CPU to whoever else wants it.

    That is the event loop with everybody's requests, and MongoDB and Redis where they run beside it: a hash
    takes tens of milliseconds and nobody minds twice that, a read takes one. The price: where others keep
    every core busy for long, sign-ins wait. Only Linux gives each thread a priority of its own; elsewhere
    this would slow the whole process down.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid the call; hashing goes on without it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
