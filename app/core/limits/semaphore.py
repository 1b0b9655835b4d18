"""Limits on long work: how much runs at once, and how much of the interpreter it takes."""

import asyncio
from collections.abc import Callable
from time import monotonic

_REST = 8.0
"""The rest after a batch, in multiples of the time that it took."""


class CountedSemaphore(asyncio.Semaphore):
    """A semaphore that reports how many slots are in use."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._size = size

    @property
    def taken(self) -> int:
        return self._size - self._value


class WritingThread:
    """Writes the batches of all exports of a process, one at a time, and rests where requests wait.

    While such a thread computes, the event loop waits: they share one interpreter, which changes hands once
    every switch interval. Several threads would make it wait longer, and none would finish sooner.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self.is_crowded: Callable[[], bool] = lambda: False
        """Whether requests wait for a slot; exports then rest for most of the time."""

    async def write(self, batch: Callable[[], bytes]) -> bytes:
        """The result of `batch`, called in a thread."""
        async with self._turn:
            began = monotonic()
            chunk = await asyncio.to_thread(batch)
            if self.is_crowded():
                await asyncio.sleep(_REST * (monotonic() - began))
            return chunk
