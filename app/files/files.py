"""Files that can be read from any byte on and are deleted when they expire."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import product
from typing import Final

import pymongo
from bson import ObjectId
from pymongo.errors import PyMongoError

from app.core.errors import UnavailableError
from app.core.mongo import Database
from app.core.settings import Settings
from app.core.stopping import finish
from app.files.entries import Entries, read_store
from app.files.gridfs import GridFS
from app.files.moving import Mover
from app.files.offers import Offers
from app.files.places import Places
from app.files.s3 import S3
from app.files.stored_file import StoredFile
from app.files.stores import Sink, Store
from models.file import BUCKETS, STORES, FileKind, StoreName

CLOSING_S: Final = 5.0
_LATER: Final = (PyMongoError, UnavailableError)
"""What is left after these expires within a day, and is deleted then."""


class Writer:
    """Takes the content of a file, in parts of any size; counts and hashes it."""

    def __init__(self, sink: Sink) -> None:
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


class Files:
    """The files of a directory: their entries in MongoDB, their content in the store that is set."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._entries = Entries(database)
        self._gridfs = GridFS(database)
        self._s3 = None if settings.files_url is None else S3(settings, settings.files_url)
        self._new: StoreName = settings.files_store or ("gridfs" if self._s3 is None else "s3")
        self.places = Places(settings)
        self.offers = Offers(self._entries, self._s3 if settings.files_direct else None)

    async def probe(self) -> None:
        """Try the bucket, if one is set. StartError: its store refuses what files need."""
        if self._s3 is not None:
            await self._s3.probe()

    @asynccontextmanager
    async def writing(
        self, kind: FileKind, name: str, expires_at: datetime | None, *, content_type: str
    ) -> AsyncGenerator[tuple[ObjectId, Writer], None]:
        """The id of a new file, and where to write it; an error in the block leaves nothing behind.

        UnavailableError: the store failed, or the upload took longer than a day.
        """
        store = self._choose(self._new)
        file_id = await self._entries.add(kind, name, content_type, store=self._new)
        try:
            async with store.writing(kind, file_id, name, content_type) as sink:
                writer = Writer(sink)
                yield file_id, writer
            whole = {"length": writer.length, "metadata.sha256": writer.sha256}
            await self._entries.change(kind, file_id, whole | {"metadata.expires_at": expires_at})
        except BaseException:
            await finish(self._discard(store, kind, file_id))
            raise

    async def _discard(self, store: Store, kind: FileKind, file_id: ObjectId) -> None:
        with pymongo.timeout(CLOSING_S), suppress(*_LATER):
            await self._delete(store, kind, file_id)

    async def find(self, kind: FileKind, file_id: ObjectId) -> StoredFile | None:
        """The file, once it is whole. UnavailableError: it lies in a bucket, and none is set."""
        entry = await self._entries.find(kind, file_id)
        if entry is None:
            return None
        again = partial(self.find, kind, file_id)
        return StoredFile(kind, entry, self._choose(read_store(entry)), again)

    async def delete(self, kind: FileKind, file_id: ObjectId) -> None:
        """Delete a file. UnavailableError: it lies in a bucket, and none is set, or the store failed."""
        for name in await self._entries.find_stores(kind, file_id):
            await self._choose(name).delete(kind, file_id)
        await self._entries.delete(kind, file_id)

    async def _delete(self, store: Store, kind: FileKind, file_id: ObjectId) -> None:
        """The entry goes last, so that an interrupted delete can be repeated."""
        await store.delete(kind, file_id)
        await self._entries.delete(kind, file_id)

    async def sweep(self) -> int:
        """Delete expired files and what is left of uploads older than a day; returns how many.

        Any number of processes may do so at once. UnavailableError, once all else is done: a store failed,
        or files lie in a bucket, and none is set.
        """
        gone = 0
        failed: UnavailableError | None = None
        for kind, store in product(BUCKETS, STORES):
            left = await self._gridfs.find_orphans(kind) if store == "gridfs" else []
            try:
                for file_id in [*await self._entries.find_expired(kind, store), *left]:
                    await self.delete(kind, file_id)
                    gone += 1
                if store == "s3":
                    await self.offers.sweep(kind)
            except UnavailableError as error:
                failed = error
        if failed is not None:
            raise failed
        return gone

    def move(self, to: StoreName) -> AsyncGenerator[int, None]:
        """Move all files to a store; yields the length of each. Reading goes on meanwhile.

        Any number of processes may move files at once. UnavailableError: no bucket is set, or it failed.
        """
        source: StoreName = "gridfs" if to == "s3" else "s3"
        return Mover(self._entries, self._choose(source), self._choose(to), to).move()

    async def check_bucket(self) -> list[str]:
        """A sentence for each object that is missing, has another length, or has no file.

        Entries are read before and after the objects: what changes meanwhile is not named.
        """
        wrong: list[str] = []
        for kind, bucket in BUCKETS.items():
            before = await self._entries.list_in_s3(kind)
            if self._s3 is None:
                wrong += (
                    [f"{len(before)} files of {bucket} lie in a bucket, and none is set"] if before else []
                )
                continue
            objects = await self._s3.list(kind)
            after = await self._entries.list_in_s3(kind)
            whole = {file_id: length for file_id, length in before.items() if length is not None}
            wrong += [
                f"the file {file_id} of {bucket} has no content of its length in the bucket"
                for file_id in sorted(whole.keys() & after.keys())
                if objects.get(file_id) != whole[file_id]
            ]
            without = sorted(objects.keys() - before.keys() - after.keys())
            wrong += [f"the object {kind}/{file_id} in the bucket has no file" for file_id in without]
        return wrong

    def _choose(self, name: StoreName) -> Store:
        if name == "gridfs":
            return self._gridfs
        if self._s3 is None:
            raise UnavailableError("The file lies in a bucket, and ROSTER_FILES_URL is not set.")
        return self._s3
