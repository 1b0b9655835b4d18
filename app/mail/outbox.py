"""The outbox: a mail is stored in the transaction of what causes it, and workers send it."""

from collections.abc import Awaitable, Callable

from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.errors import MailOffError
from app.core.mongo import Database
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.mail import mail_records
from app.mail.addresses import sender
from app.mail.mails import Mail


class Outbox:
    def __init__(
        self, database: Database, secret: str, settings: Settings, announce: Callable[[], Awaitable[object]]
    ) -> None:
        """`announce` tells the workers of all processes that a mail waits."""
        self.is_on = settings.smtp_url is not None or settings.mail_folder is not None
        """Whether mails are sent, or written to a folder."""
        self.sealer = Sealer(secret, "mails")
        self.mails = mail_records.collection(database)
        self.wake_sender: Callable[[], None] | None = None
        """Set while this process sends mails itself."""
        self._domain = sender(settings).domain
        self._announce = announce

    def check(self) -> None:
        """MailOffError where no mail can be sent: for what cannot be done without."""
        if not self.is_on:
            raise MailOffError(
                "This Roster sends no mail: its operator sets ROSTER_SMTP_URL and ROSTER_MAIL_FROM."
            )

    async def add(self, mail: Mail, session: AsyncClientSession | None = None) -> None:
        """Store the mail, in the caller's transaction where there is one; nothing where mail is off.

        `wake` the workers after the commit.
        """
        if self.is_on:
            await self.mails.insert_one(
                mail_records.new(mail, self.sealer, domain=self._domain), session=session
            )

    async def wake(self) -> None:
        """Tell the workers that a mail waits. A lost word costs seconds, as they look by themselves, too."""
        if self.wake_sender is not None:
            self.wake_sender()
        elif self.is_on:
            await self._announce()
