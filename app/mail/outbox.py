"""The outbox: a mail is stored in the transaction of what causes it, and workers send it."""

from collections.abc import Awaitable, Callable
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.clock import now
from app.core.cursors import CursorSealer
from app.core.errors import MailEndedError, MailNotFoundError, MailOffError
from app.core.mongo import Database
from app.core.paging import Page, newest_first
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.mail import mail_records
from app.mail.addresses import read_smtp, sender
from app.mail.contents import find_lacking
from app.mail.mails import Mail
from models.mail import MailQuery, StoredMail

_MOST_COUNTED = 10_000
_USEFUL: dict[str, Any] = {"$expr": {"$gt": ["$good_until", "$$NOW"]}}


class Outbox:
    def __init__(
        self,
        database: Database,
        secret: str,
        settings: Settings,
        cursors: CursorSealer,
        announce: Callable[[], Awaitable[object]],
    ) -> None:
        """`announce` tells the workers of all processes that a mail waits. StartError: a setting is wrong."""
        if settings.smtp_url is not None:
            read_smtp(settings.smtp_url.get_secret_value())
        self.is_on = settings.smtp_url is not None or settings.mail_folder is not None
        """Whether mails are sent, or written to a folder."""
        self.sealer = Sealer(secret, "mails")
        self.mails = mail_records.collection(database)
        self.wake_sender: Callable[[], None] | None = None
        """Set while this process sends mails itself."""
        self._domain = sender(settings).domain
        self._cursors = cursors
        self._announce = announce

    def check(self) -> None:
        """MailOffError where no mail can be sent: for what cannot be done without."""
        if not self.is_on:
            raise MailOffError("Mail is off: the operator must set ROSTER_SMTP_URL and ROSTER_MAIL_FROM.")

    async def add(self, mail: Mail, session: AsyncClientSession | None = None) -> None:
        """Store the mail, in the caller's transaction where there is one; nothing where mail is off.

        `wake` the workers after the commit. ValueError: its kind must be told more.
        """
        if lacking := find_lacking(mail):
            raise ValueError(f"a mail of the kind {mail.kind} needs {', '.join(sorted(lacking))}")
        if self.is_on:
            await self.mails.insert_one(
                mail_records.new(mail, self.sealer, domain=self._domain), session=session
            )

    async def page(self, asked: MailQuery) -> Page[StoredMail]:
        """A page of mails, the newest first."""
        wanted: dict[str, Any] = {} if asked.user is None else {"user": ObjectId(asked.user)}
        for name in ("state", "kind"):
            if values := getattr(asked, name):
                wanted[name] = {"$in": list(values)}
        found = await newest_first(self.mails, self._cursors, wanted, asked)
        return Page(list(map(mail_records.read, found.items)), found.next)

    async def find(self, mail_id: str) -> StoredMail:
        """MailNotFoundError: unknown, or too old."""
        found = await self.mails.find_one({"_id": _id(mail_id)})
        if found is None:
            raise _not_found()
        return mail_records.read(found)

    async def send_again(self, mail_id: str) -> StoredMail:
        """Make a mail that waits or has failed due now. MailEndedError: it is sent, or of no use any more."""
        renewed = {"state": "waiting", "reason": None, "lease": None, "due_at": "$$NOW"}
        stored = await self.mails.find_one_and_update(
            {"_id": _id(mail_id), "sealed": {"$ne": None}, "lease": None, **_USEFUL},
            [{"$set": renewed}],
            return_document=ReturnDocument.AFTER,
        )
        if stored is None:
            found = await self.find(mail_id)
            if found.state == "waiting" and found.lease is not None:  # a sender has it
                return found
            raise MailEndedError("It is sent already, or what it says is good no more: cause a new one.")
        await self.wake()
        return mail_records.read(stored)

    async def drop(self, mail_id: str) -> None:
        """Delete a mail that waits. MailEndedError: it does not wait any more."""
        dropped = await self.mails.delete_one({"_id": _id(mail_id), "state": "waiting"})
        if not dropped.deleted_count:
            found = await self.find(mail_id)
            raise MailEndedError(f"Only a mail that waits can be dropped, and this one is {found.state}.")

    async def measure(self) -> tuple[int, float]:
        """How many mails wait, 10,000 at most, and the age of the oldest in seconds."""
        waiting = {"state": "waiting"}
        number = await self.mails.count_documents(waiting, hint="state", limit=_MOST_COUNTED)
        oldest = await self.mails.find_one(waiting, {"created_at": 1}, hint="state", sort=[("_id", 1)])
        return number, 0.0 if oldest is None else max(0.0, (now() - oldest["created_at"]).total_seconds())

    async def wake(self) -> None:
        """Tell the workers that a mail waits. A lost word costs seconds, as they look by themselves, too."""
        if self.wake_sender is not None:
            self.wake_sender()
        elif self.is_on:
            await self._announce()


def _id(mail_id: str) -> ObjectId:
    try:
        return ObjectId(mail_id)
    except InvalidId:
        raise _not_found() from None


def _not_found() -> MailNotFoundError:
    return MailNotFoundError("There is no mail with this id, or no longer.")
