"""Reads the settings that say from whom mails are, and by which server they are sent."""

from dataclasses import dataclass, field
from email.headerregistry import Address
from urllib.parse import unquote, urlsplit

from app.core import mailboxes
from app.core.errors import StartError
from app.core.settings import Settings, is_loopback

_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_EXAMPLE = "smtp://mail.example.com:587"


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    host: str
    port: int
    is_tls: bool
    """Whether it speaks TLS from its first byte (RFC 8314, section 3)."""
    starttls: bool | None
    """Whether nothing is sent before STARTTLS has succeeded (RFC 3207); None: where the server offers it."""
    username: str | None
    password: str | None = field(repr=False)


def sender(settings: Settings) -> Address:
    """Whom mails are from; without a name of their own, they are from the brand."""
    found = mailboxes.read(settings.mail_from or "roster@localhost")
    return Address(found.display_name or settings.brand_name, found.username, found.domain)


def read_smtp(url: str) -> SmtpAddress:
    """StartError: what is wrong with it; no part of it is repeated, as it may belong to the password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong(f"has an invalid host or port: write an address such as {_EXAMPLE}") from None
    if parts.scheme not in _PORTS or not host:
        raise _wrong(f"is not an address such as {_EXAMPLE}; its schemes are {', '.join(_PORTS)}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong(
            "has more than user, password, host and port; in the first two / is %2F, ? %3F, # %23, @ %40"
        )
    is_near = is_loopback(host)
    if parts.scheme == "smtp+plain" and parts.password and not is_near:
        raise _wrong("would send a password unencrypted: use smtp:// or smtps://")
    return SmtpAddress(
        host=host,
        port=port or _PORTS[parts.scheme],
        is_tls=parts.scheme == "smtps",
        starttls=None if is_near and parts.scheme == "smtp" else parts.scheme == "smtp",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _wrong(what: str) -> StartError:
    return StartError(f"ROSTER_SMTP_URL {what}.")
