"""Offers: uploads that clients may send straight to the bucket, by URLs that are signed for them.

An offer is the entry of a file that never becomes whole. What its object holds is read, checked and stored as
any upload is; the sweep deletes entry and object a day later, when nothing can arrive by the URL any more.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId

from app.core.errors import (
    DirectUploadsOffError,
    TooLargeError,
    TooManyImportsError,
    TooManyPicturesError,
    UnavailableError,
    UploadDiffersError,
    UploadNotFoundError,
    UploadNotReadyError,
)
from app.files.entries import Entries
from app.files.s3 import S3, SIGNED
from models.file import FileKind
from models.upload import UploadInput

OPEN: Final = 50
"""The most uploads of one user that are not complete."""
OPEN_FOR_ONE: Final = 2
"""The same, for one user's picture: everybody may announce their own, and S3 takes 5 GiB for each."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An upload that one user announced: its length and its SHA-256, in hexadecimal."""

    id: ObjectId
    length: int
    sha256: str
    result: Any
    """What became of it, once it is complete."""
    target: ObjectId | None = None
    """Whose picture it is to be."""

    def check(self, sha256: str) -> None:
        """UploadDiffersError: what arrived has another hash than was announced."""
        if sha256 != self.sha256:
            raise UploadDiffersError("Its SHA-256 is not the one that was announced: send it again.")


class Offers:
    """The offers of a directory with a bucket that clients reach; else there are none."""

    def __init__(self, entries: Entries, s3: S3 | None) -> None:
        self._entries = entries
        self._s3 = s3

    async def make(
        self, kind: FileKind, announced: UploadInput, *, by: str, most: int, target: ObjectId | None = None
    ) -> tuple[ObjectId, str, datetime]:
        """The id, where to PUT a file of at most so many bytes, and until when.

        DirectUploadsOffError; TooLargeError; TooManyImportsError or TooManyPicturesError.
        """
        _check_length(announced.bytes, most)
        s3 = self._reach()
        await self._check_room(kind, by, target)
        until = datetime.now(UTC) + SIGNED["PUT"]
        offer = {"length": announced.bytes, "sha256": announced.sha256, "result": None, "target": target}
        offer_id = await self._entries.add_offer(kind, by, offer)
        return offer_id, await s3.sign("PUT", kind, offer_id), until

    async def find(
        self, kind: FileKind, offer_id: ObjectId, *, by: str, target: ObjectId | None = None
    ) -> Offer:
        """UploadNotFoundError: unknown, of another user, for another, or older than a day."""
        told = await self._entries.find_offer(kind, offer_id, by)
        offer = None if told is None else Offer(offer_id, **told)
        if offer is None or offer.target != target:
            raise UploadNotFoundError("There is no upload with this id, it has expired, or it is not yours.")
        return offer

    async def read(self, kind: FileKind, offer: Offer, *, most: int) -> AsyncGenerator[bytes, None]:
        """Yields the content; its hash is the caller's to check.

        UploadNotReadyError: there is none. UploadDiffersError: it has another length. TooLargeError.
        """
        _check_length(offer.length, most)
        s3 = self._reach()
        length = await s3.measure(kind, offer.id)
        if length is None:
            raise UploadNotReadyError("Nothing has arrived in the bucket: send the file to the URL first.")
        if length != offer.length:
            await s3.delete(kind, offer.id)
            raise UploadDiffersError(f"{offer.length} bytes were announced and {length} came: send it again.")
        async with aclosing(s3.read(kind, {"_id": offer.id}, 0, length)) as blocks:
            async for block in blocks:
                yield block

    async def end(self, kind: FileKind, offer: Offer, result: Any) -> None:
        """Note what became of it; the sweep deletes the object if that fails now, or if another comes."""
        await self._entries.change(kind, offer.id, {"metadata.offer.result": result})
        with suppress(UnavailableError):
            await self._reach().delete(kind, offer.id)

    async def sweep(self, kind: FileKind) -> None:
        """Once a URL is no longer good, delete what came by it, but for what can be completed."""
        if self._s3 is None:
            return
        for offer_id, offer in await self._entries.find_offers_to_check(kind, SIGNED["PUT"]):
            length = await self._s3.measure(kind, offer_id)
            if length is not None and (offer["result"] is not None or length != offer["length"]):
                await self._s3.delete(kind, offer_id)
            await self._entries.note_checked(kind, offer_id)

    async def _check_room(self, kind: FileKind, by: str, target: ObjectId | None) -> None:
        count = self._entries.count_offers
        if target and await count(kind, by, most=OPEN_FOR_ONE, target=target) == OPEN_FOR_ONE:
            raise TooManyPicturesError(
                f"{OPEN_FOR_ONE} uploads of yours for this user are not complete.", retry_after=60
            )
        if await count(kind, by, most=OPEN) == OPEN:
            full = TooManyPicturesError if kind == "avatars" else TooManyImportsError
            raise full(f"{OPEN} uploads of yours are not complete.", retry_after=60)

    def _reach(self) -> S3:
        if self._s3 is None:
            raise DirectUploadsOffError("Send files to POST /users/import, and pictures by PUT to …/avatar.")
        return self._s3


def _check_length(length: int, most: int) -> None:
    if length > most:
        raise TooLargeError(f"The file may have at most {most} bytes.")
