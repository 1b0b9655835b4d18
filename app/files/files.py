"""Files that can be read from any byte on and are deleted when they expire."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import anyio
import pymongo
from bson import ObjectId
from pymongo.errors import PyMongoError

from app.core.mongo import Database, Row
from app.files.entries import Entries
from app.files.gridfs import GridFS
from models.file import BUCKETS, FileKind

_CLOSING_S: Final = 5.0


class _Sink(Protocol):
    async def write(self, data: bytes, /) -> None: ...


class Writer:
    """Takes the content of a file, in parts of any size; counts and hashes it."""

    def __init__(self, sink: _Sink) -> None:
        self.length = 0
        self._digest = hashlib.sha256()
        self._sink = sink

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    async def write(self, data: bytes) -> None:
        self.length += len(data)
        self._digest.update(data)
        await self._sink.write(data)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is whole."""

    kind: FileKind
    entry: Row
    store: GridFS

    @property
    def length(self) -> int:
        return int(self.entry["length"])

    def read(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yields the bytes from `start` up to `stop`, in memory that does not grow with the file.

        UnavailableError: the file was deleted meanwhile.
        """
        return self.store.read(self.kind, self.entry, start, stop)


class Files:
    """The files of a directory: their entries in MongoDB, their content in a store."""

    def __init__(self, database: Database) -> None:
        self._entries = Entries(database)
        self._store = GridFS(database)

    @asynccontextmanager
    async def writing(
        self, kind: FileKind, name: str, expires_at: datetime | None, *, content_type: str
    ) -> AsyncGenerator[tuple[ObjectId, Writer], None]:
        """The id of a new file, and where to write it; an error in the block leaves nothing behind.

        UnavailableError: the upload took longer than a day.
        """
        file_id = await self._entries.add(kind, name, content_type)
        try:
            async with self._store.writing(kind, file_id) as sink:
                writer = Writer(sink)
                yield file_id, writer
            whole = {"length": writer.length, "metadata.sha256": writer.sha256}
            await self._entries.change(kind, file_id, whole | {"metadata.expires_at": expires_at})
        except BaseException:
            with anyio.CancelScope(shield=True), pymongo.timeout(_CLOSING_S), suppress(PyMongoError):
                await self.delete(kind, file_id)
            raise

    async def find(self, kind: FileKind, file_id: ObjectId) -> StoredFile | None:
        entry = await self._entries.find(kind, file_id)
        return None if entry is None else StoredFile(kind, entry, self._store)

    async def delete(self, kind: FileKind, file_id: ObjectId) -> None:
        """Delete a file; its entry goes last, so that an interrupted delete can be repeated."""
        await self._store.delete(kind, file_id)
        await self._entries.delete(kind, file_id)

    async def sweep(self) -> int:
        """Delete expired files and what is left of uploads older than a day; returns how many.

        Any number of processes may do so at once.
        """
        gone = 0
        for kind in BUCKETS:
            for file_id in [*await self._entries.find_expired(kind), *await self._store.find_orphans(kind)]:
                await self.delete(kind, file_id)
                gone += 1
        return gone
