"""What the tests of events share: the relay of an app, and what is in its log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx

from app.events import Event, relaying
from app.events.events import begin
from tests.support.jobs import backends

T = TypeVar("T")
KEPT_S = 3600
PATIENCE_S = 20.0


async def begin_anew(client: httpx.AsyncClient) -> None:
    """Let only what happens from now on be events of the app's database."""
    database = backends(client).connections.database
    await database["relay"].delete_many({})
    await begin(database)


@asynccontextmanager
async def relayed(client: httpx.AsyncClient) -> AsyncIterator[None]:
    """Let events of the app's database get their places until the block is left."""
    async with relaying(backends(client).connections.database, kept_s=KEPT_S):
        yield


async def events_of(client: httpx.AsyncClient, user: dict[str, Any], count: int) -> list[Event]:
    """So many events about the user, waited for."""
    return await wait_for(client, lambda event: event.user == user["id"], count)


async def wait_for(client: httpx.AsyncClient, wanted: Callable[[Event], bool], count: int) -> list[Event]:
    """So many of these events, waited for."""
    log = backends(client).events.log

    async def look() -> list[Event] | None:
        found = [event for event in await log.read_after(0, 10_000) if wanted(event)]
        return found if len(found) >= count else None

    return await until(look)


async def until(look: Callable[[], Awaitable[T | None]]) -> T:
    """What a look finds, once it finds anything."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):  # noqa: ASYNC110 - what it looks for is MongoDB's
            await asyncio.sleep(0.02)
    return found
