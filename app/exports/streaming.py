"""Streams the rows of a listing as a spreadsheet."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import anyio
import bson
import pymongo

from app.core.errors import BusyError
from app.core.limits import WritingThread
from app.core.mongo import BSON, Collection
from app.listing import Listing
from app.spreadsheets import columns
from app.spreadsheets.column import Column
from app.spreadsheets.column_labels import ColumnLabels
from app.spreadsheets.writing import Writer, writer
from app.users.rows import RowReader
from app.users.selections import choose
from models.export import Format
from models.listing import FileQuery

FIRST_BATCH_S = 60.0
"""How long MongoDB may take until the first row."""
_CLOSING_S = 2.0


async def begin(
    listing: Listing,
    asked: FileQuery,
    form: Format,
    *,
    users: Collection | None = None,
    running: asyncio.Semaphore,
    writing: WritingThread,
    on_rows: Callable[[int], None] = lambda _: None,
) -> tuple[Writer, AsyncGenerator[bytes, None]]:
    """The writer and its chunks. Errors before the first row are raised here, and become a status.

    `users`: those of the primary, unless given. `on_rows` gets the number of rows of each chunk, which may be
    sent a chunk later. BusyError if as many exports run as `running` admits. Always close the chunks.
    """
    whole = form == "ndjson" and asked.columns is None
    chosen = None if whole else columns.choose(asked.columns, addresses=asked.addresses)
    needed, reader = choose(None if chosen is None else _fields(chosen))
    if running.locked():
        raise BusyError("Too many exports are running: try again soon.", retry_after=5)
    if chosen is not None:
        await ColumnLabels(listing.users.database).note(chosen)
    sheet = writer(form, chosen)
    batches = listing.stream(listing.build(asked), asked.q, needed, first_s=FIRST_BATCH_S, users=users)
    chunks = _chunks(running, writing, sheet, _Rows(sheet, reader, on_rows), batches)
    await anext(chunks)
    return sheet, chunks


def _fields(chosen: Sequence[Column]) -> str:
    return ",".join(path for path in columns.projection(chosen) if path != "_id") or "id"


async def _chunks(
    running: asyncio.Semaphore,
    writing: WritingThread,
    sheet: Writer,
    rows: "_Rows",
    batches: AsyncGenerator[bytes, None],
) -> AsyncGenerator[bytes, None]:
    """Each batch is decoded and written in a thread while the next one is fetched.

    The first chunk is empty and comes with the first rows: a generator that never began would not close its
    cursor.
    """
    following: asyncio.Task[bytes | None] | None = None
    async with running:
        try:
            batch = await anext(batches, None)
            yield b""
            yield sheet.head()
            while batch is not None:
                following = asyncio.ensure_future(_next(batches))
                chunk = await writing.write(partial(rows.write, batch))
                if chunk:
                    yield chunk
                batch = await asyncio.shield(following)
            yield sheet.tail()
        finally:
            with anyio.CancelScope(shield=True):
                await _close(following, batches)


async def _next(batches: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(batches, None)


async def _close(following: asyncio.Task[bytes | None] | None, batches: AsyncGenerator[bytes, None]) -> None:
    """Wait for the running fetch before closing the cursor, as a running generator cannot be closed."""
    if following is not None:
        await asyncio.gather(following, return_exceptions=True)
    with pymongo.timeout(_CLOSING_S):
        await batches.aclose()


@dataclass(frozen=True, slots=True)
class _Rows:
    sheet: Writer
    reader: RowReader
    on_rows: Callable[[int], None]

    def write(self, batch: bytes) -> bytes:
        """Write a batch and count its rows; malformed rows are left out."""
        sound = self.reader.sound(bson.decode_all(batch, BSON))
        chunk = self.sheet.rows(sound)
        self.on_rows(len(sound))
        return chunk
