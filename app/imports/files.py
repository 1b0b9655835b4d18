"""The files of imports in GridFS."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

from bson import ObjectId
from gridfs import AsyncGridFSBucket
from gridfs.errors import NoFile

from app.core.errors import ImportNotFoundError
from app.core.mongo import Database
from app.imports.import_records import FILES

_BLOCK: Final = 1024 * 1024


async def store(database: Database, path: Path, name: str, expires_at: datetime) -> ObjectId:
    """Store a file and return its id; a failed upload leaves nothing behind."""
    bucket = AsyncGridFSBucket(database, FILES)
    into = bucket.open_upload_stream(name, metadata={"expires_at": expires_at})
    try:
        with path.open("rb") as file:
            while block := await asyncio.to_thread(file.read, _BLOCK):
                await into.write(block)
        await into.close()
    except BaseException:
        await into.abort()
        raise
    stored: ObjectId = into._id  # noqa: SLF001  # as in PyMongo's own documentation
    return stored


async def fetch(database: Database, file_id: ObjectId, path: Path) -> None:
    """Copy the file to `path`; ImportNotFoundError if it has expired."""
    bucket = AsyncGridFSBucket(database, FILES)
    try:
        stream = await bucket.open_download_stream(file_id)
        with path.open("xb") as file:
            while block := await stream.read(_BLOCK):
                await asyncio.to_thread(file.write, block)
    except NoFile:
        raise ImportNotFoundError("The file of the import has expired.") from None
