"""Which events somebody wants: by their types, and about users whom filters of the listing find."""

from collections.abc import Collection, Sequence

from bson import ObjectId

from app.core.mongo import Row
from app.events.event import Event
from app.listing import Listing

_GONE = "user.deleted"


async def select(
    events: Sequence[Event], listing: Listing, *, types: Collection[str], matching: Row | None
) -> list[Event]:
    """Those of these types, or of all where none is named; with a filter those of users whom it finds now.

    A deletion is always among them: nothing is known of the user any more.
    """
    wanted = [event for event in events if not types or event.type in types]
    about = {ObjectId(event.user) for event in wanted if event.user is not None and event.type != _GONE}
    if matching is None or not about:
        return wanted
    found = listing.users.find({"$and": [{"_id": {"$in": [*about]}}, matching]}, {"_id": 1})
    passing = {str(row["_id"]) async for row in found}
    return [event for event in wanted if event.user is None or event.type == _GONE or event.user in passing]
