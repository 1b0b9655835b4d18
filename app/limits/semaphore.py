"""A semaphore that reports how many slots are in use."""

import asyncio


class CountedSemaphore(asyncio.Semaphore):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._size = size

    @property
    def taken(self) -> int:
        return self._size - self._value
