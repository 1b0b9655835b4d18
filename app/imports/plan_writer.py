"""Writes a plan: its rows, chunk after chunk, and at last its counts. It may be begun again at any time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument

from app.core import clock
from app.core.errors import UnavailableError
from app.core.mongo import Row
from app.imports.import_records import Import, ImportRecords
from app.jobs import Run

T = TypeVar("T")
CHUNK = 500
"""Rows that are looked up and stored at a time."""


async def begin(records: ImportRecords, import_id: ObjectId) -> Import | None:
    """The import without the rows of earlier attempts; None if it has a plan."""
    document: Import | None = await records.imports.find_one_and_update(
        {"_id": import_id, "state": "planning"},
        {"$inc": {"attempt": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if document is not None:
        await records.delete_rows(import_id, before=document["attempt"])
    return document


async def ahead(chunks: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Yields chunk after chunk, each while the next one is made."""
    following = asyncio.ensure_future(anext(chunks, None))
    try:
        while (chunk := await following) is not None:
            following = asyncio.ensure_future(anext(chunks, None))
            yield chunk
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


class PlanWriter:
    """Writes the plan of one import."""

    def __init__(self, records: ImportRecords, document: Import) -> None:
        self.done = 0
        self._records = records
        self._id = document["_id"]
        self._attempt = document["attempt"]
        self._same = {
            "import": document["_id"],
            "attempt": document["attempt"],
            "expires_at": document["expires_at"],
        }

    async def write(
        self,
        chunks: AsyncIterator[T],
        make: Callable[[T], Awaitable[Sequence[RawBSONDocument]]],
        run: Run,
    ) -> None:
        """Make the rows of chunk after chunk, and store each while the next one is made."""
        storing: asyncio.Task[None] | None = None
        try:
            async for chunk in chunks:
                if not (rows := await make(chunk)):
                    continue
                if storing is not None:
                    await storing
                storing = asyncio.ensure_future(self._store(rows))
                self.done += len(rows)
                await run.progress(self.done)
            if storing is not None:
                await storing
        finally:
            if storing is not None:
                await asyncio.gather(storing, return_exceptions=True)

    def encode(self, row: Row) -> RawBSONDocument:
        """A row as it is stored."""
        return RawBSONDocument(bson.encode({"_id": ObjectId()} | self._same | row))

    async def _store(self, rows: Sequence[RawBSONDocument]) -> None:
        await self._records.rows.insert_many(rows, ordered=False)

    async def finish(self, facts: Mapping[str, Any]) -> None:
        """Complete the plan in one write, with these facts about the import."""
        counts = await self._records.count(self._id)
        if sum(counts.values()) != self.done:
            raise UnavailableError("Another worker planned the same at the same time; try again.")
        await self._records.imports.update_one(
            {"_id": self._id, "state": "planning", "attempt": self._attempt},
            {
                "$set": {
                    "state": "planned",
                    "rows": self.done,
                    "counts": counts,
                    "planned_at": clock.now(),
                    **facts,
                }
            },
        )
