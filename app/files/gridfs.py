"""The content of files in the chunks of GridFS, written so that a write may be repeated."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId
from pymongo import ReplaceOne

from app.core.errors import UnavailableError
from app.core.mongo import Collection, Database, Row
from app.files.entries import CHUNK_SIZE, LONGEST_UPLOAD, SWEPT
from models.file import BUCKETS, FileKind

CHUNKS_AT_ONCE: Final = 8


class GridFS:
    """The chunks of files; which files there are, their entries say."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def writing(
        self, kind: FileKind, file_id: ObjectId, _name: str, _content_type: str
    ) -> AsyncGenerator["ChunkWriter", None]:
        """Where to write the content, which is complete once the block is left."""
        writer = ChunkWriter(self._chunks(kind), file_id)
        yield writer
        await writer.finish()

    async def read(self, kind: FileKind, entry: Row, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yields the bytes from `start` up to `stop` in chunks.

        No cursor stays open while a slow client reads. UnavailableError: the file was deleted meanwhile.
        """
        size = entry["chunkSize"]
        number, last = start // size, (stop - 1) // size
        while number <= last:
            until = min(number + CHUNKS_AT_ONCE - 1, last)
            for chunk in await self._read_chunks(kind, entry["_id"], number, until):
                begins = number * size
                yield chunk[max(start - begins, 0) : stop - begins]
                number += 1

    async def _read_chunks(self, kind: FileKind, file_id: ObjectId, first: int, last: int) -> list[bytes]:
        wanted = {"files_id": file_id, "n": {"$gte": first, "$lte": last}}
        found = await self._chunks(kind).find(wanted).sort("n").to_list()
        if [chunk["n"] for chunk in found] != list(range(first, last + 1)):
            raise UnavailableError("The file was deleted meanwhile.")
        return [bytes(chunk["data"]) for chunk in found]

    async def delete(self, kind: FileKind, file_id: ObjectId) -> None:
        await self._chunks(kind).delete_many({"files_id": file_id})

    async def link(self, *_: object) -> None:
        """MongoDB has no URLs."""

    async def find_orphans(self, kind: FileKind) -> list[ObjectId]:
        """Ids of chunks without an entry, as older releases leave them, old enough by the time in the id."""
        before = ObjectId.from_datetime(datetime.now(UTC) - LONGEST_UPLOAD)
        name = f"{BUCKETS[kind]}.files"
        entry = {"from": name, "localField": "_id", "foreignField": "_id", "as": "entry"}
        pipeline: list[dict[str, Any]] = [
            {"$match": {"files_id": {"$lt": before}}},
            {"$sort": {"files_id": 1}},
            {"$group": {"_id": "$files_id"}},
            {"$lookup": entry},
            {"$match": {"entry": []}},
            {"$limit": SWEPT},
        ]
        return [left["_id"] async for left in await self._chunks(kind).aggregate(pipeline)]

    def _chunks(self, kind: FileKind) -> Collection:
        return self._database[f"{BUCKETS[kind]}.chunks"]


class ChunkWriter:
    """Writes chunks by their numbers: one that is there already is replaced."""

    def __init__(self, chunks: Collection, file_id: ObjectId) -> None:
        self._chunks = chunks
        self._file_id = file_id
        self._buffer = bytearray()
        self._number = 0

    async def write(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= CHUNKS_AT_ONCE * CHUNK_SIZE:
            await self._flush(CHUNKS_AT_ONCE * CHUNK_SIZE)

    async def finish(self) -> None:
        if self._buffer:
            await self._flush(len(self._buffer))

    async def _flush(self, size: int) -> None:
        parts = [bytes(self._buffer[place : place + CHUNK_SIZE]) for place in range(0, size, CHUNK_SIZE)]
        del self._buffer[:size]
        keys = [{"files_id": self._file_id, "n": self._number + place} for place in range(len(parts))]
        replacing = zip(keys, parts, strict=True)
        await self._chunks.bulk_write(
            [ReplaceOne(key, key | {"data": part}, upsert=True) for key, part in replacing]
        )
        self._number += len(parts)
