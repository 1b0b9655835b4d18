"""The log of events, as readers page through it."""

from collections.abc import Collection as AnyOf

from pymongo import ASCENDING
from pymongo.read_concern import ReadConcern

from app.core.clock import now
from app.core.mongo import AWARE, Database
from app.events.event import Event
from models.event import EventType, StoredEvent, StoredRelay

RELAY = "relay"


class EventLog:
    """Reads what a majority has: a place that was given once is never given to another event."""

    def __init__(self, database: Database) -> None:
        settled = database.with_options(codec_options=AWARE, read_concern=ReadConcern("majority"))
        self._events = settled[StoredEvent.Settings.name]
        self._relay = settled[StoredRelay.Settings.name]

    async def read_after(
        self, position: int, limit: int, types: AnyOf[EventType] | None = None
    ) -> list[Event]:
        """The next events after this place, the oldest first; of these types where they are named.

        Whether some between are kept no longer is told by `first_position`, asked afterwards.
        """
        wanted = {"_id": {"$gt": position}} | ({} if types is None else {"type": {"$in": sorted(types)}})
        found = self._events.find(wanted, hint="_id_").sort("_id", ASCENDING).limit(limit)
        return list(map(Event.read, await found.to_list()))

    async def first_position(self) -> int:
        """The place of the oldest event that is kept; where there is none, the one that the next will get."""
        last = await self.last_position()
        found = await self._events.find_one({}, {"_id": 1}, hint="_id_", sort=[("_id", ASCENDING)])
        return last + 1 if found is None else int(found["_id"])

    async def last_position(self) -> int:
        """The place of the newest event; 0 before the first."""
        found = await self._relay.find_one({"_id": RELAY}, {"position": 1})
        return 0 if found is None else int(found["position"])

    async def has_lost(self, position: int) -> bool:
        """Whether events after this place are kept no longer, or the place is of another log."""
        return not await self.first_position() - 1 <= position <= await self.last_position()

    async def measure_lag(self) -> float:
        """Seconds by which the relay is behind; it tells every few seconds how far it is."""
        found = await self._relay.find_one({"_id": RELAY}, {"seen_at": 1})
        return 0.0 if found is None else max(0.0, (now() - found["seen_at"]).total_seconds())
