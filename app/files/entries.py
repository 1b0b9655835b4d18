"""The entries of files in MongoDB, in the form of GridFS: which files there are, and until when.

An entry is there before its content and without a length until that is whole, so what a killed upload leaves
has an entry that expires.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from pymongo import ReturnDocument

from app.core.errors import UnavailableError
from app.core.mongo import Collection, Database, Row
from models.file import BUCKETS, FileKind, StoreName

CHUNK_SIZE: Final = 255 * 1024
"""GridFS's own."""
LONGEST_UPLOAD: Final = timedelta(days=1)
LONGEST_MOVE: Final = timedelta(minutes=10)
SWEPT: Final = 100
_OFFERED: Final = "upload by "
_AFTER_OFFERED: Final = "upload by!"
_CHECKED: Final = "metadata.offer_checked"
_IS_WHOLE: Final = {"length": {"$exists": True}}


class Entries:
    """The entries of all kinds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, kind: FileKind, name: str, content_type: str, *, store: StoreName, **more: Any
    ) -> ObjectId:
        """Add the entry of a file whose content is being written; `more` is kept in its metadata."""
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
                **more,
            },
        }
        await self._files(kind).insert_one(entry)
        return file_id

    async def add_offer(self, kind: FileKind, by: str, offer: Row) -> ObjectId:
        """Add the entry of what a user may upload to the bucket; `offer` has no `result` yet."""
        return await self.add(kind, _offered_to(by), "application/octet-stream", store="s3", offer=offer)

    async def count_offers(
        self, kind: FileKind, by: str, *, most: int, target: ObjectId | None = None
    ) -> int:
        """How many offers of a user have no result, for anybody or for this one; `most` at most."""
        wanted: Row = {"filename": _offered_to(by), "metadata.offer.result": None}
        if target is not None:
            wanted["metadata.offer.target"] = target
        return await self._files(kind).count_documents(wanted, limit=most)

    async def find_offer(self, kind: FileKind, file_id: ObjectId, by: str) -> Row | None:
        found = await self._files(kind).find_one({"_id": file_id, "filename": _offered_to(by)})
        offer: Row | None = found and found["metadata"].get("offer")
        return offer

    async def find_offers_to_check(self, kind: FileKind, age: timedelta) -> list[tuple[ObjectId, Row]]:
        """Offers of at least this age that `note_checked` has not noted."""
        wanted = {
            "filename": {"$gte": _OFFERED, "$lt": _AFTER_OFFERED},
            "uploadDate": {"$lte": datetime.now(UTC) - age},
            _CHECKED: {"$exists": False},
        }
        found = await self._files(kind).find(wanted, {"metadata.offer": 1}).limit(SWEPT).to_list()
        return [(entry["_id"], entry["metadata"]["offer"]) for entry in found]

    async def note_checked(self, kind: FileKind, offer_id: ObjectId) -> None:
        """Not if the entry was deleted meanwhile."""
        await self._files(kind).update_one({"_id": offer_id}, {"$set": {_CHECKED: True}})

    async def change(self, kind: FileKind, file_id: ObjectId, fields: Row) -> None:
        """Set fields; with its length the file is found. UnavailableError: it was deleted meanwhile."""
        changed = await self._files(kind).update_one({"_id": file_id}, {"$set": fields})
        if not changed.matched_count:
            raise UnavailableError("The file was deleted meanwhile.")

    async def find(self, kind: FileKind, file_id: ObjectId) -> Row | None:
        """The entry of a whole file."""
        return await self._files(kind).find_one({"_id": file_id, **_IS_WHOLE})

    async def find_stores(self, kind: FileKind, file_id: ObjectId) -> tuple[StoreName, ...]:
        """Where content of the file may be: in both stores, if it was being moved."""
        fields = {"metadata.store": 1, "metadata.moving": 1}
        found = await self._files(kind).find_one({"_id": file_id}, fields) or {}
        is_moving = "moving" in found.get("metadata", {})
        return ("gridfs", "s3") if is_moving else (read_store(found),)

    async def claim_next(self, kind: FileKind, to: StoreName, *, after: ObjectId | None) -> Row | None:
        """The next whole file that is to be moved, claimed so that nobody else moves it."""
        moment = datetime.now(UTC)
        elsewhere = _lying_in("gridfs" if to == "s3" else "s3")
        wanted: Row = {
            **_IS_WHOLE,
            "$and": [
                {"$or": [elsewhere, {"metadata.moving": {"$exists": True}}]},
                {
                    "$or": [
                        {"metadata.moving": {"$exists": False}},
                        {"metadata.moving.until": {"$lte": moment}},
                    ]
                },
            ],
        }
        if after is not None:
            wanted["_id"] = {"$gt": after}
        claim = {"by": ObjectId(), "until": moment + LONGEST_MOVE}
        return await self._files(kind).find_one_and_update(
            wanted,
            {"$set": {"metadata.moving": claim}},
            sort={"_id": 1},
            return_document=ReturnDocument.AFTER,
        )

    async def turn(self, kind: FileKind, claimed: Row, to: StoreName) -> bool:
        """Let the file be read from the other store; False if it was deleted, or the claim has lapsed."""
        fields = {"metadata.store": to, "chunkSize": CHUNK_SIZE}
        changed = await self._files(kind).update_one(_claim_of(claimed), {"$set": fields})
        return bool(changed.matched_count)

    async def exists(self, kind: FileKind, file_id: ObjectId) -> bool:
        return await self._files(kind).find_one({"_id": file_id}, {"_id": 1}) is not None

    async def release(self, kind: FileKind, claimed: Row) -> None:
        await self._files(kind).update_one(_claim_of(claimed), {"$unset": {"metadata.moving": ""}})

    async def list_in_s3(self, kind: FileKind) -> dict[ObjectId, int | None]:
        """The lengths of all files in the bucket; None of one that is being written."""
        found = self._files(kind).find({"metadata.store": "s3"}, {"length": 1})
        return {entry["_id"]: entry.get("length") async for entry in found}

    async def find_expired(self, kind: FileKind, store: StoreName) -> list[ObjectId]:
        wanted = {"metadata.expires_at": {"$lte": datetime.now(UTC)}, **_lying_in(store)}
        found = await self._files(kind).find(wanted, {"_id": 1}).limit(SWEPT).to_list()
        return [entry["_id"] for entry in found]

    async def delete(self, kind: FileKind, file_id: ObjectId) -> None:
        await self._files(kind).delete_one({"_id": file_id})

    def _files(self, kind: FileKind) -> Collection:
        return self._database[f"{BUCKETS[kind]}.files"]


def _offered_to(by: str) -> str:
    """The name of a user's offers, by which the index of names finds them."""
    return f"{_OFFERED}{by}"


def _claim_of(claimed: Row) -> Row:
    return {"_id": claimed["_id"], "metadata.moving.by": claimed["metadata"]["moving"]["by"]}


def _lying_in(store: StoreName) -> Row:
    return {"metadata.store": "s3" if store == "s3" else {"$ne": "s3"}}


def read_store(entry: Row) -> StoreName:
    """Where the content is; older releases had one store, and did not say."""
    store: StoreName = entry.get("metadata", {}).get("store", "gridfs")
    return store
