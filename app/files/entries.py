"""The entries of files in MongoDB, in the form of GridFS: which files there are, and until when.

An entry is there before its content and without a length until that is whole, so what a killed upload leaves
has an entry that expires.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from bson import ObjectId

from app.core.errors import UnavailableError
from app.core.mongo import Collection, Database, Row
from models.file import BUCKETS, FileKind, StoreName

CHUNK_SIZE: Final = 255 * 1024
"""GridFS's own."""
LONGEST_UPLOAD: Final = timedelta(days=1)
SWEPT: Final = 100
_IS_WHOLE: Final = {"length": {"$exists": True}}


class Entries:
    """The entries of all kinds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, kind: FileKind, name: str, content_type: str, *, store: StoreName) -> ObjectId:
        """Add the entry of a file whose content is being written."""
        moment = datetime.now(UTC)
        entry = {
            "_id": (file_id := ObjectId()),
            "filename": name,
            "uploadDate": moment,
            "chunkSize": CHUNK_SIZE,
            "metadata": {
                "store": store,
                "content_type": content_type,
                "expires_at": moment + LONGEST_UPLOAD,
            },
        }
        await self._files(kind).insert_one(entry)
        return file_id

    async def change(self, kind: FileKind, file_id: ObjectId, fields: Row) -> None:
        """Set fields; with its length the file is found. UnavailableError: it was deleted meanwhile."""
        changed = await self._files(kind).update_one({"_id": file_id}, {"$set": fields})
        if not changed.matched_count:
            raise UnavailableError("The file was deleted meanwhile.")

    async def find(self, kind: FileKind, file_id: ObjectId) -> Row | None:
        """The entry of a whole file."""
        return await self._files(kind).find_one({"_id": file_id, **_IS_WHOLE})

    async def find_store(self, kind: FileKind, file_id: ObjectId) -> StoreName:
        """Where the content of the file is, or of a file without an entry may be."""
        found = await self._files(kind).find_one({"_id": file_id}, {"metadata.store": 1})
        return read_store(found or {})

    async def list_in_s3(self, kind: FileKind) -> dict[ObjectId, int | None]:
        """The lengths of all files in the bucket; None of one that is being written."""
        found = self._files(kind).find({"metadata.store": "s3"}, {"length": 1})
        return {entry["_id"]: entry.get("length") async for entry in found}

    async def find_expired(self, kind: FileKind) -> list[ObjectId]:
        wanted = {"metadata.expires_at": {"$lte": datetime.now(UTC)}}
        found = await self._files(kind).find(wanted, {"_id": 1}).limit(SWEPT).to_list()
        return [entry["_id"] for entry in found]

    async def delete(self, kind: FileKind, file_id: ObjectId) -> None:
        await self._files(kind).delete_one({"_id": file_id})

    def _files(self, kind: FileKind) -> Collection:
        return self._database[f"{BUCKETS[kind]}.files"]


def read_store(entry: Row) -> StoreName:
    """Where the content is; older releases had one store, and did not say."""
    store: StoreName = entry.get("metadata", {}).get("store", "gridfs")
    return store
