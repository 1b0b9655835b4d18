"""Semaphores for what takes long."""

import asyncio


class CountedSemaphore(asyncio.Semaphore):
    """A semaphore that reports how many slots are in use."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._size = size

    @property
    def taken(self) -> int:
        return self._size - self._value


class ExportSlots(CountedSemaphore):
    """Slots for exports, whose threads write one batch at a time.

    Threads that write at once share one interpreter with the event loop: each keeps every request waiting for
    a switch interval more, and none is done sooner.
    """

    def __init__(self, size: int = 1, *, writing: asyncio.Lock | None = None) -> None:
        """`writing` is that of other slots in the same process."""
        super().__init__(size)
        self.writing = writing or asyncio.Lock()
