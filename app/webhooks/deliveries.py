"""The deliveries of a webhook in MongoDB: made of events, tried, ended; they are its log, too."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.errors import BulkWriteError

from app.core.clock import now
from app.core.mongo import AWARE, Database, Row
from app.database.driver_errors import DUPLICATE_KEY
from app.events import Event
from app.webhooks.sender import Outcome
from models.delivery import StoredDelivery

PAUSES_S: Sequence[float] = (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Between tries: three days and some hours in all."""
_JITTER = 0.2


def new(webhook: ObjectId, event: Event, *, kept: timedelta) -> Row:
    moment = now()
    return {
        "_id": ObjectId(),
        "webhook": webhook,
        "position": event.position,
        "event": event.id,
        "type": event.type,
        "key": event.key,
        "state": "waiting",
        "tries": 0,
        "status": None,
        "failure": None,
        "took_ms": None,
        "tried_at": None,
        "first_at": None,
        "due_at": moment,
        "created_at": moment,
        "expires_at": moment + kept,
    }


class Deliveries:
    def __init__(self, database: Database) -> None:
        self.collection = database.get_collection(StoredDelivery.Settings.name, codec_options=AWARE)

    async def add(self, rows: Sequence[Row]) -> list[Row]:
        """Those that are new: of one event a webhook has one delivery."""
        try:
            await self.collection.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            wrong = error.details["writeErrors"]
            if any(each["code"] != DUPLICATE_KEY for each in wrong):
                raise
            known = {each["index"] for each in wrong}
            return [row for at, row in enumerate(rows) if at not in known]
        return list(rows)

    async def find_waiting(self, webhook: ObjectId, most: int) -> list[Row]:
        """The first ones by their places."""
        wanted = {"webhook": webhook, "state": "waiting"}
        return await self.collection.find(wanted, hint="waiting").sort("position").limit(most).to_list()

    async def end(self, delivery: Row, outcome: Outcome) -> None:
        """It is not tried again: it was delivered, or failed once too often."""
        state = "delivered" if outcome.failure is None else "failed"
        await self._write(delivery, {"state": state, **_tried(outcome)})

    async def put_off(self, delivery: Row, outcome: Outcome, due_at: datetime) -> Row:
        """The delivery as it waits from now on."""
        fields = {**_tried(outcome), "due_at": due_at, "tries": delivery["tries"] + 1}
        fields |= {"first_at": delivery["first_at"] or fields["tried_at"]}
        await self._write(delivery, fields)
        return delivery | fields

    async def renew(self, wanted: Row) -> int:
        """Let those that have ended be delivered once more; how many."""
        again = {"state": "waiting", "tries": 0, "first_at": None, "due_at": "$$NOW"}
        ended = wanted | {"state": wanted.get("state", {"$in": ["delivered", "failed"]})}
        return (await self.collection.update_many(ended, [{"$set": again}])).modified_count

    async def forget(self, webhook: ObjectId) -> None:
        await self.collection.delete_many({"webhook": webhook})

    async def _write(self, delivery: Row, fields: dict[str, Any]) -> None:
        tries = {"tries": delivery["tries"] + 1}
        await self.collection.update_one(
            {"_id": delivery["_id"], "state": "waiting"}, {"$set": tries | fields}
        )


def find_pause(tries: int, outcome: Outcome, pauses_s: Sequence[float] = PAUSES_S) -> timedelta | None:
    """How long to wait after so many tries, the last one included; None where it was the last."""
    if tries > len(pauses_s):
        return None
    spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads retries, guards nothing
    return timedelta(seconds=max(pauses_s[tries - 1] * spread, outcome.retry_after_s))


def _tried(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "failure": outcome.failure,
        "took_ms": outcome.took_ms,
        "tried_at": now(),
    }
