"""Moves the content of files from one store to the other while the service runs.

A file is claimed, copied, read from the other store as soon as its entry says so, and deleted in the first.
When its claim lapses, others go on from what the entry says.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import anyio

from app.core.mongo import Row
from app.files.entries import Entries, read_store
from app.files.stored_file import StoredFile
from app.files.stores import Store
from models.file import BUCKETS, FileKind, StoreName


@dataclass(frozen=True, slots=True)
class Mover:
    """Moves files to the store `to`, which is `target`."""

    entries: Entries
    source: Store
    target: Store
    to: StoreName

    async def move(self) -> AsyncGenerator[int, None]:
        """Yields the length of each file that was moved; a file that is being moved already is left out."""
        for kind in BUCKETS:
            last = None
            while (entry := await self.entries.claim_next(kind, self.to, after=last)) is not None:
                last = entry["_id"]
                async with self._released(kind, entry):
                    await self._move(kind, entry)
                yield entry["length"]

    async def _move(self, kind: FileKind, entry: Row) -> None:
        file_id = entry["_id"]
        if read_store(entry) != self.to:  # else a move was killed before it had deleted the old content
            await self._copy(kind, entry)
            if not await self.entries.turn(kind, entry, self.to):
                if not await self.entries.exists(kind, file_id):  # else it is another mover's now
                    await self.target.delete(kind, file_id)
                return
        await self.source.delete(kind, file_id)

    async def _copy(self, kind: FileKind, entry: Row) -> None:
        async def find_again() -> None:
            return None

        content = StoredFile(kind, entry, self.source, find_again).read(0, entry["length"])
        content_type = entry["metadata"].get("content_type", "application/octet-stream")
        writing = self.target.writing(kind, entry["_id"], entry["filename"], content_type)
        async with aclosing(content), writing as sink:
            async for chunk in content:
                await sink.write(chunk)

    @asynccontextmanager
    async def _released(self, kind: FileKind, entry: Row) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self.entries.release(kind, entry)
