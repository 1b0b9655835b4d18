"""Lanes: batches of one import that are written at the same time, each by a session of its own."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final

from app.core.mongo import Collection
from app.imports.row_batches import Batch
from app.imports.row_writer import RowWriter

LANES: Final = 3
"""While MongoDB commits one batch, it writes another, and Python prepares the next."""
_AHEAD: Final = 5_000
"""Rows that are noted as begun at a time."""

OnDone = Callable[[int], Awaitable[None]]


class Lanes:
    """Writes the rows of one import, some batches at a time.

    New users and plain updates are written before their rows and trail. The import's `begun` is the last row
    of which only the first may have been done; it goes once all that was begun is done.
    """

    def __init__(self, imports: Collection, writers: Sequence[RowWriter]) -> None:
        self._imports = imports
        self._writers = writers
        self._import = {"_id": writers[0].id}
        self._earlier = self._begun = writers[0].begun
        self._reached = 0

    async def write_all(self, on_done: OnDone) -> None:
        """Write all pending rows; `on_done` gets the number done at a time, and may stop it.

        Batches that were begun are ended even then.
        """
        while await self._write_pending(on_done):
            self._reached = self._begun
        await self._forget_begun()

    async def _write_pending(self, on_done: OnDone) -> bool:
        """Write the rows that are pending, in their order; whether there were any."""
        lanes: deque[tuple[Batch, asyncio.Task[None]]] = deque()
        place = 0
        try:
            async with aclosing(self._batches()) as batches:
                async for batch in batches:
                    if len(lanes) == len(self._writers):
                        await _end_first(lanes, on_done)
                    await self._note(batch.rows[-1]["n"])
                    writer = self._writers[place % len(self._writers)]
                    lanes.append((batch, asyncio.create_task(writer.write(batch))))
                    place += 1
            while lanes:
                await _end_first(lanes, on_done)
        except BaseException:
            outcomes = await asyncio.gather(*(task for _, task in lanes), return_exceptions=True)
            if not any(outcomes):
                await self._forget_begun()
            raise
        return place > 0

    async def _batches(self) -> AsyncGenerator[Batch]:
        """Batches in the order of the file; each is prepared while previous ones are written."""
        reader = self._writers[0]
        following = asyncio.create_task(reader.next(0))
        try:
            while (batch := await following) is not None:
                following = asyncio.create_task(reader.next(batch.rows[-1]["n"]))
                yield batch
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _note(self, n: int) -> None:
        self._reached = max(self._reached, n)
        if n > self._begun:
            self._begun = n + _AHEAD
            await self._imports.update_one(self._import, {"$max": {"begun": self._begun}})

    async def _forget_begun(self) -> None:
        """Rows up to where an earlier run may have come must have been met, too."""
        if self._begun and self._reached >= self._earlier:
            await self._imports.update_one(self._import | {"begun": self._begun}, {"$unset": {"begun": ""}})


async def _end_first(lanes: deque[tuple[Batch, asyncio.Task[None]]], on_done: OnDone) -> None:
    """Wait for the batch that was begun first; a cancellation of this one leaves it alone."""
    batch, task = lanes[0]
    await asyncio.wait({task})
    task.result()
    lanes.popleft()
    await on_done(len(batch.rows))
