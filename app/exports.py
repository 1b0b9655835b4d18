"""Exports: the listing's rows, written as a spreadsheet while they are read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress

import anyio
import bson

from app.listing.pages import Users, stream
from app.listing.queries import Query
from app.rows import BSON, RowReader
from app.selections import choose
from app.spreadsheets import Writer, columns, writer
from models.export import Format

FIRST_BATCH_S = 60.0
"""How long MongoDB may take to find and sort before the first row."""
_CLOSING_S = 2.0


async def begin(
    users: Users, query: Query, *, form: Format, asked: str | None, addresses: int
) -> tuple[Writer, AsyncGenerator[bytes, None]]:
    """The writer and its chunks. What fails before the first row fails here, where a status can tell."""
    whole = form == "ndjson" and asked is None
    chosen = None if whole else columns.choose(asked, addresses=addresses)
    needed, reader = choose(None if chosen is None else _fields(chosen))
    sheet = writer(form, chosen)
    batches = stream(users, query, needed, first_s=FIRST_BATCH_S)
    first = await anext(batches, None)
    return sheet, _chunks(sheet, reader, first, batches)


def _fields(chosen: Sequence[columns.Column]) -> str:
    return ",".join(path for path in columns.projection(chosen) if path != "_id") or "id"


async def _chunks(
    sheet: Writer, reader: RowReader, batch: bytes | None, batches: AsyncIterator[bytes]
) -> AsyncGenerator[bytes, None]:
    """Each batch is decoded and written in a thread while the next one is fetched."""
    following: asyncio.Task[bytes | None] | None = None
    try:
        yield sheet.head()
        while batch is not None:
            following = asyncio.ensure_future(_next(batches))
            chunk = await asyncio.to_thread(_write, sheet, reader, batch)
            if chunk:
                yield chunk
            batch = await following
        yield sheet.tail()
    finally:
        with anyio.move_on_after(_CLOSING_S, shield=True):
            await _close(following, batches)


async def _next(batches: AsyncIterator[bytes]) -> bytes | None:
    return await anext(batches, None)


async def _close(following: asyncio.Task[bytes | None] | None, batches: AsyncIterator[bytes]) -> None:
    """Ends the fetch under way before the cursor: a running generator cannot be closed."""
    if following is not None and not following.done():
        following.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await following
    if isinstance(batches, AsyncGenerator):
        await batches.aclose()


def _write(sheet: Writer, reader: RowReader, batch: bytes) -> bytes:
    return sheet.rows(reader.sound(bson.decode_all(batch, BSON)))
