"""How mails leave: by a mail server, or as files of a folder."""

from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiosmtplib
import structlog

from app.core.settings import Settings
from app.mail import replies
from app.mail.addresses import SmtpAddress, read_smtp

log = structlog.get_logger("roster.mail")


class AwayError(Exception):
    """Nothing can be sent now, whatever the mail: its reason is told to the operator."""


class RefusedError(Exception):
    """This mail was not taken; for ever if it `is_final`. Its reason names no address."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


class Delivery(Protocol):
    """One way out, which one sender uses at a time."""

    @property
    def is_open(self) -> bool: ...

    async def open(self) -> None:
        """AwayError: it stays closed."""

    async def send(self, message: EmailMessage) -> None:
        """RefusedError."""

    async def close(self) -> None: ...


def ways(settings: Settings) -> list[Delivery]:
    """As many as one process uses at a time; none where mail is off. StartError: a setting is wrong."""
    if settings.smtp_url is not None:
        address = read_smtp(settings.smtp_url.get_secret_value())
        name = find_own_name(settings)
        return [
            SmtpConnection(address, timeout_s=settings.smtp_timeout_s, own_name=name)
            for _ in range(settings.smtp_connections)
        ]
    return [] if settings.mail_folder is None else [MailFolder(settings.mail_folder)]


def find_own_name(settings: Settings) -> str:
    """What EHLO says: the issuer's host, or an address literal (RFC 5321, section 4.1.3)."""
    host = urlsplit(settings.issuer_url).hostname or "localhost"
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


class SmtpConnection:
    """A connection to the mail server, made when it is first needed and after each failure."""

    def __init__(self, address: SmtpAddress, *, timeout_s: float, own_name: str) -> None:
        self._make: Callable[[], aiosmtplib.SMTP] = lambda: aiosmtplib.SMTP(
            hostname=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            use_tls=address.is_tls,
            start_tls=address.starttls,
            local_hostname=own_name,
            timeout=timeout_s,
        )
        self._client = self._make()

    @property
    def is_open(self) -> bool:
        return self._client.is_connected

    async def open(self) -> None:
        self._client = self._make()
        try:
            await self._client.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise AwayError(replies.explain(error)) from None

    async def send(self, message: EmailMessage) -> None:
        try:
            await self._client.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise RefusedError(replies.explain(refusal), is_final=replies.is_final(refusal)) from None
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPHeloError) as error:  # the operator's to mend
            raise RefusedError(replies.explain(error), is_final=False) from None
        except aiosmtplib.SMTPResponseException as error:
            raise RefusedError(replies.explain(error), is_final=replies.is_final(error)) from None
        except aiosmtplib.SMTPNotSupported:
            reason = "the mail server takes no address with other letters than ASCII (SMTPUTF8)"
            raise RefusedError(reason, is_final=True) from None
        except ValueError:  # what the library does not write into a command
            raise RefusedError("no mail server takes such an address", is_final=True) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self._client.close()
            raise RefusedError(replies.explain(error), is_final=False) from None

    async def close(self) -> None:
        try:
            if self._client.is_connected:
                await self._client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            log.debug("mail_server_left_without_farewell")
        finally:
            self._client.close()


class MailFolder:
    """Writes each mail as a file that mail programs open, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_open = False

    async def open(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise AwayError(f"the folder cannot be made: {error.strerror}") from None
        self.is_open = True

    async def send(self, message: EmailMessage) -> None:
        """Under its Message-ID, so that a second copy replaces the first."""
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        unfinished = self._folder / f".{name}"
        try:
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(_flatten(message))
            unfinished.replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise RefusedError(f"the file cannot be written: {error.strerror}", is_final=False) from None

    async def close(self) -> None:
        """Nothing is held open; the folder is made again if it was removed."""
        self.is_open = False


def _flatten(message: EmailMessage) -> bytes:
    """In ASCII, unless the address is not: then as with SMTPUTF8 (RFC 6532)."""
    is_ascii = message["To"].addresses[0].addr_spec.isascii()
    return message.as_bytes(policy=SMTP if is_ascii else SMTPUTF8)
