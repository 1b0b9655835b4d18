"""The files of imports in GridFS."""

import asyncio
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Final

from bson import ObjectId

from app.core.errors import ImportNotFoundError
from app.database.stored_files import Bucket

_BLOCK: Final = 1024 * 1024


async def store(bucket: Bucket, path: Path, name: str, expires_at: datetime) -> ObjectId:
    """Store a file and return its id; a failed upload leaves nothing behind."""
    with path.open("rb") as file:
        async with bucket.writing(name, expires_at) as (file_id, upload):
            while block := await asyncio.to_thread(file.read, _BLOCK):
                await upload.write(block)
    return file_id


async def fetch(bucket: Bucket, file_id: ObjectId, path: Path) -> None:
    """Copy the file to `path`; ImportNotFoundError if it has expired."""
    found = await bucket.find(file_id)
    if found is None:
        raise ImportNotFoundError("The file of the import has expired.")
    with path.open("xb") as file:
        async with aclosing(found.read(0, found.length)) as blocks:
            async for block in blocks:
                await asyncio.to_thread(file.write, block)
