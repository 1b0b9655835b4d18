"""The sweep of every worker: finds jobs whose message was lost."""

from typing import Any

from app.core.mongo import Collection
from app.jobs.jobs import Jobs

_AT_ONCE = 100


async def send_overdue(documents: Collection, jobs: Jobs, *, lease_ms: int) -> int:
    """Announce jobs again that still wait a lease after their message, or whose lease has lapsed; how many.

    Of several workers that sweep at once, one sends.
    """
    unheard = {"$lt": ["$sent_at", {"$subtract": ["$$NOW", lease_ms]}]}  # null is less than any time
    overdue: dict[str, Any] = {
        "$or": [
            {"state": "queued", "$expr": {"$and": [{"$lte": ["$not_before", "$$NOW"]}, unheard]}},
            {"state": "running", "$expr": {"$and": [{"$lt": ["$lease_until", "$$NOW"]}, unheard]}},
        ]
    }
    found = documents.find(overdue, {"sent_at": 1}).sort("_id").limit(_AT_ONCE)
    sent = 0
    for job in await found.to_list():
        seen = {"_id": job["_id"], "sent_at": job["sent_at"]}
        claimed = await documents.update_one(seen, [{"$set": {"sent_at": "$$NOW"}}])
        if claimed.modified_count:
            await jobs.announce(str(job["_id"]))
            sent += 1
    return sent
