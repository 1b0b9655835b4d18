"""Claims on mails that are due: each is given to one sender, until that has told what became of it.

A claim is a random word and an end, by MongoDB's clock. A mail whose sender died is due again when the claim
has ended; one that died after the mail server had taken the mail sends it twice, under one Message-ID.
"""

import secrets
from datetime import timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.mongo import Collection
from app.mail import mail_records
from models.mail import StoredMail

_IS_DUE = {"$lte": ["$due_at", "$$NOW"]}
_IS_STALE = {"$lte": ["$good_until", "$$NOW"]}
DUE: dict[str, Any] = {"state": "waiting", "$expr": {"$and": [_IS_DUE, {"$not": [_IS_STALE]}]}}
STALE: dict[str, Any] = {
    "sealed": {"$type": "binData"},
    "$expr": {"$and": [_IS_STALE, {"$or": [{"$eq": ["$lease", None]}, _IS_DUE]}]},
}
"""What no sender has, and what it says is good no more; the type is the partial index's."""
TOO_LATE = "it could not be sent in time"


class Claims:
    def __init__(self, mails: Collection, *, claim_s: float) -> None:
        self._mails = mails
        self._claim_ms = int(claim_s * 1000)

    async def is_any_due(self) -> bool:
        return await self._mails.find_one(DUE, {"_id": 1}) is not None

    async def take(self) -> StoredMail | None:
        """The mail that has been due for longest; a try is counted."""
        taken = {
            "lease": secrets.token_hex(12),
            "due_at": _in_ms(self._claim_ms),
            "tries": {"$add": ["$tries", 1]},
        }
        found = await self._mails.find_one_and_update(
            DUE, [{"$set": taken}], sort=[("due_at", 1)], return_document=ReturnDocument.AFTER
        )
        return None if found is None else mail_records.read(found)

    async def end_sent(self, mail: StoredMail) -> bool:
        """Whether the claim still held; what the mail says is erased."""
        return await self._change(
            mail, {"state": "sent", "sealed": None, "reason": None, "sent_at": "$$NOW"}, None
        )

    async def put_off(self, mail: StoredMail, delay: timedelta, reason: str) -> bool:
        return await self._change(
            mail, {"due_at": _in_ms(int(delay / timedelta(milliseconds=1))), "reason": _literal(reason)}, None
        )

    async def fail(self, mail: StoredMail, reason: str, session: AsyncClientSession | None = None) -> bool:
        return await self._change(mail, {"state": "failed", "reason": _literal(reason)}, session)

    async def fail_stale(self) -> int:
        """Give up what is of no use any more, and erase what it says; how many that waited."""
        given_up = {"state": "failed", "lease": None, "reason": TOO_LATE}
        done = await self._mails.update_many(
            {"state": "waiting", **STALE}, {"$set": given_up}, hint="good_until"
        )
        await self._mails.update_many(
            {"state": "failed", **STALE}, {"$set": {"sealed": None}}, hint="good_until"
        )
        return done.modified_count

    async def _change(
        self, mail: StoredMail, fields: dict[str, Any], session: AsyncClientSession | None
    ) -> bool:
        held = {"_id": mail.id, "state": "waiting", "lease": mail.lease}
        done = await self._mails.update_one(held, [{"$set": {"lease": None, **fields}}], session=session)
        return done.modified_count == 1


def _in_ms(milliseconds: int) -> dict[str, Any]:
    return {"$add": ["$$NOW", milliseconds]}


def _literal(text: str) -> dict[str, str]:
    """For a pipeline, which would read `$name` in it as a field."""
    return {"$literal": text}
