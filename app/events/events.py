"""The events of a directory: where they begin, the log of them, and the feed of this process."""

from app.core.clock import now
from app.core.mongo import Database
from app.events.feed import Feed
from app.events.log import RELAY, EventLog
from models.event import StoredRelay


class Events:
    def __init__(self, database: Database) -> None:
        self.log = EventLog(database)
        self.feed = Feed(database, self.log)


async def begin(database: Database) -> None:
    """Let changes from now on be events, unless they are already."""
    began = (await database.command("ping"))["operationTime"]
    moment = now()
    start = {
        "position": 0,
        "token": None,
        "began": began,
        "seen_at": moment,
        "placed_at": moment,
        "lease": None,
        "lease_until": None,
    }
    await database[StoredRelay.Settings.name].update_one({"_id": RELAY}, {"$setOnInsert": start}, upsert=True)
