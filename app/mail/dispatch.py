"""One mail at a time: taken, composed, given to the mail server, and what became of it written down."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

import structlog
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from app import audit
from app.audit.write import Author
from app.core.sealing import BrokenSealError
from app.database.transactions import together
from app.mail import mail_records
from app.mail.claims import Claims
from app.mail.delivery import Delivery, RefusedError
from app.mail.mails import Mail
from app.mail.outbox import Outbox
from app.monitoring import metrics
from app.monitoring.logs import REQUEST_ID
from models.mail import StoredMail

log = structlog.get_logger("roster.mail")

_FIRST_DELAY, _LONGEST_DELAY = timedelta(seconds=15), timedelta(hours=1)
_DOUBLINGS = 8


class Compose(Protocol):
    def __call__(self, mail: Mail, *, message_id: str, sent_at: datetime) -> EmailMessage: ...


class Dispatcher:
    def __init__(self, outbox: Outbox, compose: Compose, *, claim_s: float, pause_s: float = 0.5) -> None:
        self.claims = Claims(outbox.mails, claim_s=claim_s)
        self._outbox = outbox
        self._compose = compose
        self._claim_s = claim_s
        self._pause_s = pause_s

    async def send_next(self, delivery: Delivery) -> bool:
        """Whether a mail was due. AwayError: nothing can be sent, and no try of a mail was counted."""
        if not delivery.is_open:
            if not await self.claims.is_any_due():
                return False
            await delivery.open()
        stored = await self.claims.take()
        if stored is None:
            return False
        REQUEST_ID.set(stored.request_id)
        try:
            await delivery.send(self._make(stored))
        except RefusedError as refused:
            await self._refuse(stored, refused)
        else:
            await self._insist(lambda: self.claims.end_sent(stored))
            _count(stored, "sent")
        return True

    def _make(self, stored: StoredMail) -> EmailMessage:
        """RefusedError: it cannot be made. Its Date is when it was asked for, in each copy."""
        try:
            mail = mail_records.unseal(stored, self._outbox.sealer)
        except BrokenSealError:
            raise RefusedError("it was sealed under another secret key", is_final=True) from None
        try:
            return self._compose(mail, message_id=stored.message_id, sent_at=stored.created_at)
        except Exception as error:
            log.exception("mail_not_composed", id=str(stored.id), kind=stored.kind)
            reason = f"it could not be composed ({type(error).__name__}): look into the log"
            raise RefusedError(reason, is_final=False) from None

    async def _refuse(self, stored: StoredMail, refused: RefusedError) -> None:
        reason = refused.reason
        if refused.is_final:
            await self._insist(lambda: self._fail(stored, reason))
        else:
            await self._insist(lambda: self.claims.put_off(stored, find_delay(stored.tries), reason))
        _count(stored, "refused" if refused.is_final else "put_off", reason=reason)

    async def _fail(self, stored: StoredMail, reason: str) -> None:
        """With an entry in the trail of the user whom it never reaches."""

        async def write(session: AsyncClientSession) -> None:
            if await self.claims.fail(stored, reason, session) and stored.user is not None:
                entry = audit.write.entry(Author(via="mail"), "mail_failed", stored.user)
                await audit.write.add(self._outbox.mails.database, [entry], session)

        await together(self._outbox.mails.database.client, write)

    async def _insist(self, write: Callable[[], Awaitable[object]]) -> None:
        """Try again while MongoDB is away: a mail that is sent and not noted is sent twice."""
        ends_at = time.monotonic() + self._claim_s
        while True:
            try:
                await write()
            except PyMongoError:
                if time.monotonic() > ends_at:
                    raise
            else:
                return
            await asyncio.sleep(self._pause_s)


def find_delay(
    tries: int, *, first: timedelta = _FIRST_DELAY, longest: timedelta = _LONGEST_DELAY
) -> timedelta:
    """Twice as long after each try, give or take a quarter, so that mails do not come back in step."""
    doublings: int = 2 ** min(tries - 1, _DOUBLINGS)
    delay = min(longest, first * doublings)
    return delay * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, guards nothing


def _count(stored: StoredMail, outcome: str, **more: str) -> None:
    metrics.MAILS.labels(stored.kind, outcome).inc()
    log.info("mail_tried", outcome=outcome, id=str(stored.id), kind=stored.kind, tries=stored.tries, **more)
