"""What a listener is told: events, that some are kept no longer, how far the log is, and the end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.core.errors import RosterError, TooManyListenersError
from app.core.mongo import Row
from app.events import Event, Events
from app.events.selection import select
from app.listing import Listing
from models.event import EventQuery
from models.listing import Filter, OrderedQuery

LISTENERS = 2_000
"""In one process."""
_AT_ONCE = 100
_QUIET_S = 5.0
"""After which a listener is told how far the log is, and their authority is looked at."""
_RETRY_S = 5

Check = Callable[[], Awaitable[object]]
"""Raises a RosterError once the listener may listen no longer."""


@dataclass(frozen=True, slots=True)
class Step:
    """The log was read up to this place, and had nothing more for the listener."""

    position: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Events before this place are kept no longer, or the place is of another log: list the users anew."""

    position: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows, for this reason."""

    code: str


Told = Event | Step | Reset | Ended


class Live:
    def __init__(self, events: Events, listing: Listing) -> None:
        self._events = events
        self._listing = listing
        self._room = asyncio.Semaphore(LISTENERS)
        self.listeners = 0

    def listen(self, asked: EventQuery, since: int | None, check: Check) -> AsyncGenerator[Told, None]:
        """What is told from after `since` on, or from now on. InvalidError; TooManyListenersError."""
        matching = self._build(asked)
        if self._room.locked():
            raise TooManyListenersError(
                "This server has too many listeners: try again soon.", retry_after=_RETRY_S
            )
        return self._listen(asked, matching, since, check)

    def _build(self, asked: EventQuery) -> Row | None:
        given = asked.model_fields_set & Filter.model_fields.keys()
        if not given:
            return None
        values = {name: getattr(asked, name) for name in given}
        return self._listing.build(OrderedQuery.model_construct(given, **values)).matching

    async def _listen(
        self, asked: EventQuery, matching: Row | None, since: int | None, check: Check
    ) -> AsyncGenerator[Told, None]:
        feed = self._events.feed
        async with self._room, feed.listening():
            self.listeners += 1
            try:
                position = await self._events.log.last_position() if since is None else since
                if await self._events.log.has_lost(position):
                    position = await self._events.log.first_position() - 1
                    yield Reset(position)
                yield Step(position)
                while True:
                    found = await feed.read_after(position, _AT_ONCE)
                    if found and found[0].position != position + 1:
                        position = await self._events.log.first_position() - 1
                        yield Reset(position)
                        continue
                    await check()
                    for event in await select(found, self._listing, types=asked.type, matching=matching):
                        yield event
                    position = found[-1].position if found else position
                    if not found and not await feed.wait(position, _QUIET_S):
                        yield Step(position)
            except RosterError as error:
                yield Ended(error.code)
            except (PyMongoError, RedisError):
                yield Ended("unavailable")
            finally:
                self.listeners -= 1
