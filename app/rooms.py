"""Room for so many at a time, which tells how much of it is taken."""

import asyncio


class Room(asyncio.Semaphore):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._size = size

    @property
    def taken(self) -> int:
        return self._size - self._value
