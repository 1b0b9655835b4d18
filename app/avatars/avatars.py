"""Avatars: uploaded, served and removed. The user's `avatar_url` alone says which picture lives.

So a picture dies with its URL at once, by whatever way the user is changed or deleted; what is left of it is
swept.
"""

import hashlib
import secrets
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.errors import PyMongoError

from app.audit.write import Author
from app.auth.throttles import Quota, Quotas
from app.avatars import kinds
from app.avatars.drawer import Drawer
from app.avatars.frames import Reply
from app.core.errors import (
    AvatarNotFoundError,
    PreconditionFailedError,
    RosterError,
    ThrottledError,
    UnavailableError,
    UserNotFoundError,
)
from app.core.mongo import Database, Row
from app.core.settings import Settings
from app.files import Files, StoredFile
from app.users import AllowedVersions, Authority, Users
from app.users.authority import ADMIN
from app.users.pictures import find_version, make_url
from models.pictures import SIZES, PictureForm, Size
from models.upload import UploadInput

UPLOADS: Final = Quota("avatars", 20, 3600)
_CHECKED_AFTER: Final = timedelta(days=1)
_SWEPT: Final = 500
_MOVING: Final = Authority(frozenset({ADMIN}), Author(via="migration"))


@dataclass(frozen=True, slots=True)
class Square:
    """A picture in one size."""

    version: str
    size: Size
    form: PictureForm
    file: StoredFile
    start: int
    stop: int

    async def read(self) -> bytes:
        """UnavailableError: the store failed, or the picture died meanwhile."""
        return b"".join([chunk async for chunk in self.file.read(self.start, self.stop)])


class Avatars:
    def __init__(
        self, database: Database, files: Files, users: Users, quotas: Quotas, settings: Settings
    ) -> None:
        self._avatars = database["avatars"]
        self._users = users
        self._files = files
        self._quotas = quotas
        self._base = settings.issuer_url
        self._limit = settings.avatar_max_bytes
        self._drawer = Drawer()
        self.check_room, self.close = self._drawer.check_room, self._drawer.close

    async def put(
        self, user_id: PydanticObjectId, content: bytes, versions: AllowedVersions, authority: Authority
    ) -> Row:
        """The user with the uploaded picture, whose URL is new.

        ThrottledError after 20 uploads for this user in an hour; UnsupportedPictureError,
        UnreadablePictureError, PictureTooLargeError: of the picture; others as of any change.
        """
        before = await self._read_target(user_id, authority)
        kinds.check(content)
        if not await self._quotas.take(str(user_id), [UPLOADS]):
            raise ThrottledError(UPLOADS.within_s)
        version = await self._store(user_id, await self._drawer.draw(content))
        try:
            url = make_url(self._base, version)
            row = await self._users.set_avatar(user_id, url, versions, authority=authority)
        except RosterError:
            await self._discard(user_id, version)
            raise
        await self._discard(user_id, find_version(before["avatar_url"]))
        return row

    async def offer_upload(
        self, user_id: PydanticObjectId, announced: UploadInput, authority: Authority, *, by: str
    ) -> tuple[ObjectId, str, datetime]:
        """The id, where to PUT the picture, and until when. TooLargeError; DirectUploadsOffError."""
        await self._read_target(user_id, authority)
        return await self._files.offers.make("avatars", announced, by=by, most=self._limit, target=user_id)

    async def complete_upload(
        self,
        user_id: PydanticObjectId,
        upload_id: ObjectId,
        versions: AllowedVersions,
        authority: Authority,
        *,
        by: str,
    ) -> Row:
        """The user with the picture; as they are now if it was complete before. Errors as `put`.

        UploadNotFoundError, UploadNotReadyError; UploadDiffersError: it is not what was announced.
        """
        target = await self._read_target(user_id, authority)
        offers = self._files.offers
        offer = await offers.find("avatars", upload_id, by=by, target=user_id)
        if offer.result is not None:
            return target
        async with aclosing(offers.read("avatars", offer, most=self._limit)) as blocks:
            content = b"".join([block async for block in blocks])
        offer.check(hashlib.sha256(content).hexdigest())
        row = await self.put(user_id, content, versions, authority)
        await offers.end("avatars", offer, row["version"])
        return row

    async def remove(
        self, user_id: PydanticObjectId, versions: AllowedVersions, authority: Authority
    ) -> None:
        """Take the user's picture away, also one from elsewhere."""
        before = await self._users.read(user_id)
        await self._users.set_avatar(user_id, None, versions, authority=authority)
        await self._discard(user_id, find_version(before["avatar_url"]))

    async def find(self, version: str, size: Size) -> Square:
        """A living picture. AvatarNotFoundError: it is none, or not any more."""
        stored = await self._avatars.find_one({"_id": version})
        file = await self._files.find("avatars", stored["file"]) if stored else None
        if stored is None or file is None or not await self._lives(stored):
            raise AvatarNotFoundError("There is no such picture, or its user has another now.")
        place = SIZES.index(size)
        start, stop = (sum(stored["lengths"][:end]) for end in (place, place + 1))
        return Square(version, size, stored["form"], file, start, stop)

    async def sweep(self) -> int:
        """Delete pictures that no user has any more; returns how many. Those that live get this address.

        Any number of processes may do so at once. Each picture is looked at once a day.
        """
        while moved := await self._avatars.find(self._elsewhere()).limit(_SWEPT).to_list():
            for stored in moved:
                await self._move(stored)
        due = {"checked_at": {"$lt": datetime.now(UTC) - _CHECKED_AFTER}}
        found = await self._avatars.find(due).sort("checked_at").limit(_SWEPT).to_list()
        dead = [stored for stored in found if not await self._lives(stored)]
        for stored in dead:
            await self._discard(stored["user"], stored["_id"])
        checked = {"_id": {"$in": [stored["_id"] for stored in found]}}
        await self._avatars.update_many(checked, {"$set": {"checked_at": datetime.now(UTC)}})
        return len(dead)

    async def _read_target(self, user_id: PydanticObjectId, authority: Authority) -> Row:
        row = await self._users.read(user_id)
        authority.check_target(row)
        return row

    async def _store(self, user_id: ObjectId, reply: Reply) -> str:
        """Store the squares; the version. Until a user has it, it is dead, and swept."""
        version = secrets.token_urlsafe(16)
        writing = self._files.writing("avatars", version, None, content_type=f"image/{reply.form}")
        async with writing as (file_id, writer):
            await writer.write(b"".join(reply.squares))
            stored = {
                "_id": version,
                "user": user_id,
                "base": self._base,
                "form": reply.form,
                "file": file_id,
                "lengths": [len(square) for square in reply.squares],
                "checked_at": datetime.now(UTC),
            }
            await self._avatars.insert_one(stored)
        return version

    async def _discard(self, user_id: ObjectId, version: str | None) -> None:
        """Delete a dead picture of this user; where a store does not answer, the sweep does it.

        A URL from elsewhere may have the form of ours, with the version of somebody else's picture.
        """
        with suppress(PyMongoError, UnavailableError):
            if stored := await self._avatars.find_one({"_id": version, "user": user_id}):
                await self._files.delete("avatars", stored["file"])
                await self._avatars.delete_one({"_id": version})

    async def _lives(self, stored: Row) -> bool:
        user = await self._users.collection.find_one({"_id": stored["user"]}, {"avatar_url": 1})
        return user is not None and find_version(user.get("avatar_url")) == stored["_id"]

    def _elsewhere(self) -> dict[str, Any]:
        """Pictures whose URL begins with another address, which this service had before."""
        return {"$or": [{"base": {"$lt": self._base}}, {"base": {"$gt": self._base}}]}

    async def _move(self, stored: Row) -> None:
        """Give a picture this service's address, and its user a new version: caches may have the old one."""
        row = await self._users.collection.find_one({"_id": stored["user"]}, {"avatar_url": 1, "version": 1})
        if row is not None and row["avatar_url"] == make_url(stored["base"], stored["_id"]):
            url, versions = make_url(self._base, stored["_id"]), frozenset({row["version"]})
            try:
                await self._users.set_avatar(row["_id"], url, versions, authority=_MOVING)
            except PreconditionFailedError:
                return  # the next look finds the user as somebody has changed them
            except UserNotFoundError:
                pass  # gone since, or malformed, which no look would mend
        await self._avatars.update_one({"_id": stored["_id"]}, {"$set": {"base": self._base}})
