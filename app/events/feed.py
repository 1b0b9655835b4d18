"""How a process learns of new events: by one change stream, however many listen to it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from pymongo.errors import PyMongoError

from app.core.mongo import Database, Row
from app.core.stopping import stop
from app.events.event import Event
from app.events.log import EventLog
from models.event import StoredRelay

log = structlog.get_logger("roster.events")

KEPT = 2_000
"""The latest events, which listeners read from memory."""
_AT_ONCE = 500
_PAUSE_S = 0.5
_AGAIN_S = 0.1
"""The change stream takes the first cancellation for a failure of its own, and resumes."""
_NEWS: list[Row] = [{"$match": {"updateDescription.updatedFields.position": {"$exists": True}}}]


class Feed:
    def __init__(self, database: Database, events: EventLog) -> None:
        self._relay = database[StoredRelay.Settings.name]
        self._log = events
        self._recent: deque[Event] = deque(maxlen=KEPT)
        self._last = 0
        self._news = asyncio.Event()
        self._listeners = 0
        self._following: asyncio.Task[None] | None = None

    @property
    def last(self) -> int:
        """The place of the last event that was heard of."""
        return self._last

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Around all that a listener reads and awaits; the first opens the stream, the last closes it."""
        self._listeners += 1
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                following, self._following = self._following, None
                await stop(following, again_s=_AGAIN_S)

    async def read_after(self, position: int, limit: int) -> list[Event]:
        """The next events after this place, from memory where it has them."""
        if not self._recent or position < self._recent[0].position - 1:
            return await self._log.read_after(position, limit)
        skipped = position + 1 - self._recent[0].position
        return [self._recent[at] for at in range(skipped, min(len(self._recent), skipped + limit))]

    async def wait(self, position: int, within_s: float) -> bool:
        """Whether there are events after this place, at the latest after `within_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._last <= position:
                    await self._news.wait()
        return self._last > position

    async def _follow(self) -> None:
        while True:
            try:
                async with await self._relay.watch(_NEWS) as stream:
                    self._recent.clear()
                    self._last = await self._log.last_position()
                    self._tell()
                    while True:
                        await stream.next()
                        await self._read()
            except PyMongoError as error:
                log.warning("events_not_heard", reason=type(error).__name__)
            await asyncio.sleep(_PAUSE_S)

    async def _read(self) -> None:
        while found := await self._log.read_after(self._last, _AT_ONCE):
            if found[0].position != self._last + 1:
                self._recent.clear()
            self._recent.extend(found)
            self._last = found[-1].position
            self._tell()

    def _tell(self) -> None:
        heard, self._news = self._news, asyncio.Event()
        heard.set()
