"""Files in GridFS, which can be read from any byte on and are deleted when they expire.

A file expires at its `metadata.expires_at`. It exists once its entry in `<bucket>.files` does, which GridFS
writes after the last chunk; chunks without an entry are left over from a broken upload.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import IndexModel

from app.core.errors import UnavailableError
from app.core.mongo import Database

BUCKETS = ("import_files", "export_files")

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


async def find(database: Database, bucket: str, file_id: ObjectId) -> StoredFile | None:
    found = await database[f"{bucket}.files"].find_one({"_id": file_id})
    if found is None:
        return None
    return StoredFile(database, bucket, file_id, found["length"], found["chunkSize"])


async def delete(database: Database, bucket: str, file_id: ObjectId) -> None:
    """Delete a file; its entry goes last, so that an interrupted delete can be repeated."""
    await database[f"{bucket}.chunks"].delete_many({"files_id": file_id})
    await database[f"{bucket}.files"].delete_one({"_id": file_id})


async def sweep(database: Database) -> int:
    """Delete expired files and the leftovers of uploads older than a day; returns how many.

    Any number of processes may do so at once.
    """
    swept = 0
    for bucket in BUCKETS:
        gone = [*await _expired(database, bucket), *await _left_over(database, bucket)]
        for file_id in gone:
            await delete(database, bucket, file_id)
        swept += len(gone)
    return swept


async def _expired(database: Database, bucket: str) -> list[Any]:
    wanted = {"metadata.expires_at": {"$lte": datetime.now(UTC)}}
    found = await database[f"{bucket}.files"].find(wanted, {"_id": 1}).limit(_SWEPT).to_list()
    return [file["_id"] for file in found]


async def _left_over(database: Database, bucket: str) -> Sequence[Any]:
    """Ids of chunks without an entry, old enough by the time in the id."""
    before = ObjectId.from_datetime(datetime.now(UTC) - _LONGEST_UPLOAD)
    pipeline: list[dict[str, Any]] = [
        {"$match": {"files_id": {"$lt": before}}},
        {"$sort": {"files_id": 1}},
        {"$group": {"_id": "$files_id"}},
        {"$lookup": {"from": f"{bucket}.files", "localField": "_id", "foreignField": "_id", "as": "entry"}},
        {"$match": {"entry": []}},
        {"$limit": _SWEPT},
    ]
    found = await (await database[f"{bucket}.chunks"].aggregate(pipeline)).to_list()
    return [left["_id"] for left in found]
