"""The files of imports: stored as they come, and fetched for those who read them."""

import asyncio
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Final

from bson import ObjectId

from app.core.errors import ImportNotFoundError
from app.files import Files

_BLOCK: Final = 1024 * 1024


async def store(files: Files, path: Path, name: str, expires_at: datetime, content_type: str) -> ObjectId:
    """Store a file and return its id; a failed upload leaves nothing behind."""
    with path.open("rb") as file:
        writing = files.writing("imports", name, expires_at, content_type=content_type)
        async with writing as (file_id, upload):
            while block := await asyncio.to_thread(file.read, _BLOCK):
                await upload.write(block)
    return file_id


async def fetch(files: Files, file_id: ObjectId, path: Path) -> None:
    """Copy the file to `path`; ImportNotFoundError if it has expired."""
    found = await files.find("imports", file_id)
    if found is None:
        raise ImportNotFoundError("The file of the import has expired.")
    with path.open("xb") as file:
        async with aclosing(found.read(0, found.length)) as blocks:
            async for block in blocks:
                await asyncio.to_thread(file.write, block)
