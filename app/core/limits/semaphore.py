"""Semaphores for what takes long."""

import asyncio
from collections.abc import Callable
from time import monotonic

_REST = 4.0
"""Times as long as a batch took."""


class CountedSemaphore(asyncio.Semaphore):
    """A semaphore that reports how many slots are in use."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._size = size

    @property
    def taken(self) -> int:
        return self._size - self._value


class ExportSlots(CountedSemaphore):
    """Slots for exports, whose threads write one batch at a time and step back where requests wait.

    What such a thread computes keeps the event loop waiting: they share one interpreter, which changes hands
    once every switch interval. Several threads at once would keep it waiting longer, and none be done sooner.
    """

    def __init__(self, size: int = 1, *, beside: "ExportSlots | None" = None) -> None:
        """`beside` has the other slots of the same process."""
        super().__init__(size)
        self._beside = beside or self
        self._writing = asyncio.Lock()
        self.is_crowded: Callable[[], bool] = lambda: False
        """Whether requests wait for a slot; exports then rest for most of the time."""

    async def write(self, batch: Callable[[], bytes]) -> bytes:
        """What `batch` returns, called in a thread."""
        slots = self._beside
        async with slots._writing:  # noqa: SLF001  (of its own class)
            began = monotonic()
            chunk = await asyncio.to_thread(batch)
            if slots.is_crowded():
                await asyncio.sleep(_REST * (monotonic() - began))
            return chunk
