"""A file that is whole: read from any byte on, checked against its hash, followed where it moves."""

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from app.core.errors import UnavailableError
from app.core.mongo import Row
from app.files.entries import read_store
from app.files.stores import Store
from models.file import FileKind


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is whole."""

    kind: FileKind
    entry: Row
    store: Store
    find_again: Callable[[], Awaitable["StoredFile | None"]]

    @property
    def length(self) -> int:
        return int(self.entry["length"])

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yields the bytes from `start` up to `stop`, in memory that does not grow with the file.

        UnavailableError: the file was deleted meanwhile, or it is not as it was written. Of a file that is
        read whole the last chunk comes once the hash is right: a damaged one never looks whole.
        """
        digest = hashlib.sha256()
        expected = self.entry["metadata"].get("sha256") if stop - start == self.length else None
        async with aclosing(self._follow(start, stop)) as chunks:
            async for chunk in chunks:
                digest.update(chunk)
                start += len(chunk)
                if start == stop and expected not in {None, digest.hexdigest()}:
                    raise UnavailableError("The file is not as it was written.")
                yield chunk

    async def link(self) -> str | None:
        """A URL by which anybody may read it for a minute; None where it comes through us."""
        return await self.store.link(self.kind, self.entry["_id"])

    async def _follow(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """The chunks from where they are; those of a file that is moved meanwhile from its new store."""
        file: StoredFile | Self = self
        while start < stop:
            try:
                async with aclosing(file.store.read(self.kind, file.entry, start, stop)) as chunks:
                    async for chunk in chunks:
                        start += len(chunk)
                        yield chunk
            except UnavailableError:
                found = await self.find_again()
                if found is None or read_store(found.entry) == read_store(file.entry):
                    raise
                file = found
