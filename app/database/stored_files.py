"""Files in GridFS, which can be read from any byte on and are deleted when they expire.

A file expires at its `metadata.expires_at`. It exists once its entry in `<bucket>.files` does, which GridFS
writes after the last chunk; chunks without an entry are left over from a broken upload.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pymongo
from bson import ObjectId
from gridfs import AsyncGridFSBucket, AsyncGridIn
from pymongo import IndexModel
from pymongo.errors import PyMongoError

from app.core.errors import UnavailableError
from app.core.mongo import Database

BUCKETS = ("import_files", "export_files")

_CLOSING_S = 5.0
_READ_CHUNKS = 8
_SWEPT = 100
_LONGEST_UPLOAD = timedelta(days=1)


def indexes() -> dict[str, list[IndexModel]]:
    """The indexes that GridFS makes itself, and one of expiry."""
    declared: dict[str, list[IndexModel]] = {}
    for bucket in BUCKETS:
        declared[f"{bucket}.files"] = [
            IndexModel([("filename", 1), ("uploadDate", 1)]),
            IndexModel([("metadata.expires_at", 1)], name="expires_at"),
        ]
        declared[f"{bucket}.chunks"] = [IndexModel([("files_id", 1), ("n", 1)], unique=True)]
    return declared


@dataclass(frozen=True, slots=True)
class StoredFile:
    database: Database
    bucket: str
    id: ObjectId
    length: int
    chunk_size: int

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yields the bytes from `start` up to `stop` in chunks.

        No cursor stays open while a slow client reads. UnavailableError: the file was deleted meanwhile.
        """
        number, last = start // self.chunk_size, (stop - 1) // self.chunk_size
        while number <= last:
            chunks = await self._chunks(number, min(number + _READ_CHUNKS - 1, last))
            for chunk in chunks:
                begins = number * self.chunk_size
                yield chunk[max(start - begins, 0) : stop - begins]
                number += 1

    async def _chunks(self, first: int, last: int) -> list[bytes]:
        wanted = {"files_id": self.id, "n": {"$gte": first, "$lte": last}}
        found = await self.database[f"{self.bucket}.chunks"].find(wanted).sort("n").to_list()
        if [chunk["n"] for chunk in found] != list(range(first, last + 1)):
            raise UnavailableError("The file was deleted meanwhile.")
        return [bytes(chunk["data"]) for chunk in found]


class Bucket:
    """The files of one kind in GridFS."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._files = database[f"{name}.files"]
        self._chunks = database[f"{name}.chunks"]

    @asynccontextmanager
    async def writing(
        self, name: str, expires_at: datetime
    ) -> AsyncGenerator[tuple[ObjectId, AsyncGridIn], None]:
        """The id of a new file, and where to write it; an error in the block leaves nothing behind."""
        upload = AsyncGridFSBucket(self._database, self._name).open_upload_stream_with_id(
            file_id := ObjectId(), name, metadata={"expires_at": expires_at}
        )
        try:
            yield file_id, upload
            await upload.close()
        except BaseException:
            with anyio.CancelScope(shield=True), pymongo.timeout(_CLOSING_S), suppress(PyMongoError):
                await upload.abort()
            raise

    async def find(self, file_id: ObjectId) -> StoredFile | None:
        found = await self._files.find_one({"_id": file_id})
        if found is None:
            return None
        return StoredFile(self._database, self._name, file_id, found["length"], found["chunkSize"])

    async def delete(self, file_id: ObjectId) -> None:
        """Delete a file; its entry goes last, so that an interrupted delete can be repeated."""
        await self._chunks.delete_many({"files_id": file_id})
        await self._files.delete_one({"_id": file_id})

    async def sweep(self) -> int:
        """Delete expired files and the leftovers of uploads older than a day; returns how many."""
        gone = [*await self._expired(), *await self._left_over()]
        for file_id in gone:
            await self.delete(file_id)
        return len(gone)

    async def _expired(self) -> list[Any]:
        wanted = {"metadata.expires_at": {"$lte": datetime.now(UTC)}}
        return [file["_id"] for file in await self._files.find(wanted, {"_id": 1}).limit(_SWEPT).to_list()]

    async def _left_over(self) -> list[Any]:
        """Ids of chunks without an entry, old enough by the time in the id."""
        before = ObjectId.from_datetime(datetime.now(UTC) - _LONGEST_UPLOAD)
        entry = {"from": self._files.name, "localField": "_id", "foreignField": "_id", "as": "entry"}
        pipeline: list[dict[str, Any]] = [
            {"$match": {"files_id": {"$lt": before}}},
            {"$sort": {"files_id": 1}},
            {"$group": {"_id": "$files_id"}},
            {"$lookup": entry},
            {"$match": {"entry": []}},
            {"$limit": _SWEPT},
        ]
        return [left["_id"] async for left in await self._chunks.aggregate(pipeline)]


async def sweep(database: Database) -> int:
    """Sweep all buckets; any number of processes may do so at once."""
    return sum([await Bucket(database, name).sweep() for name in BUCKETS])
