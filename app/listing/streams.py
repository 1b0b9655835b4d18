"""Streams of all users of a query, in the listing's order."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pymongo

from app.core.errors import UnavailableError
from app.core.mongo import Collection
from app.listing.pages import Projection
from app.listing.queries import Query

BATCH_ROWS = 250
"""Rows of a batch, which a thread decodes and writes in a few milliseconds. With 500 the first byte comes
a third later, and other requests wait longer."""


async def stream(
    users: Collection, query: Query, projection: Projection, *, first_s: float
) -> AsyncGenerator[bytes, None]:
    """All rows as raw BSON batches, in order. The server's cursor is closed when the generator is.

    UnavailableError when the first of a segment takes longer than `first_s`.
    """
    await answering(users)  # a frozen server runs into the usual time-out
    for segment in query.order.segments[:1] if query.single else query.order.segments:
        asked = {"filter": query.matching} if query.single else query.find(segment)
        cursor: Any = users.find_raw_batches(  # PyMongo types its batches as documents; they are bytes
            **asked, projection=projection, batch_size=BATCH_ROWS, allow_disk_use=True
        )
        async with cursor:
            batch = await _first(cursor, first_s)
            while batch is not None:
                yield batch
                batch = await anext(cursor, None)


async def answering(users: Collection) -> Collection:
    """The users, once the server has answered."""
    await users.database.command("ping")
    return users


async def _first(cursor: Any, within_s: float) -> bytes | None:
    """The first batch; timed here, as PyMongo's time-out would bound all batches of a cursor together."""
    try:
        async with asyncio.timeout(within_s):
            with pymongo.timeout(0):
                batch: bytes | None = await anext(cursor, None)
                return batch
    except TimeoutError:
        raise UnavailableError("MongoDB did not find the first user in time: narrow the filter.") from None
