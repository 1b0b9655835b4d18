"""A mail server in the loop of the tests, which misbehaves as it is told."""

import asyncio
import email
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # its lines have every address


class MailServer:
    """What it has taken, each copy, and what it answers from now on."""

    def __init__(self, **options: Any) -> None:
        self.taken: list[EmailMessage] = []
        self.has_grown = asyncio.Event()
        """Set with each copy."""
        self.options = options
        self.port = 0
        self.connections = 0
        self.reset()

    def reset(self) -> None:
        """Let it behave again, and forget what it has taken."""
        self.taken.clear()
        self.recipients: dict[str, str] = {}
        """What RCPT is answered, by address."""
        self.sender = ""
        """What MAIL is answered."""
        self.data = "250 OK"
        """What the end of DATA is answered; empty: never, and `lost` or `dead` hang up."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def message_ids(self) -> list[str]:
        return [str(message["Message-ID"]) for message in self.taken]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.sender or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusal = self.recipients.get(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if not self.data:
            await asyncio.Event().wait()
        if self.data in {"250 OK", "lost"}:
            content = cast("bytes", envelope.original_content).decode()
            self.taken.append(email.message_from_string(content, policy=policy.default))
            self.has_grown.set()
        if self.data == "lost":
            cast("asyncio.Transport", server.transport).abort()
            return "250 OK"
        return self.data

    def make(self) -> SMTP:
        self.connections += 1
        loop = asyncio.get_running_loop()
        return _Protocol(self, hostname="mail.test", loop=loop, **self.options)


class _Protocol(SMTP):
    """aiosmtpd's, which can die in the midst of a mail."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.event_handler.data == "dead":
            await self.push("354 go on")
            cast("asyncio.Transport", self.transport).abort()
        else:
            await super().smtp_DATA(arg)


@asynccontextmanager
async def running(
    server: MailServer, *, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """The server takes connections until the block is left."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(server.make, "127.0.0.1", port, family=socket.AF_INET, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        listening.close()


def guarded_server(username: str, password: str) -> MailServer:
    """One that offers AUTH, and lets only these in."""
    known = LoginPassword(username.encode(), password.encode())

    def check(*said: Any) -> AuthResult:
        return AuthResult(success=said[-1] == known, handled=False)

    return MailServer(authenticator=check, auth_require_tls=False)


def make_certificate(folder: Path) -> ssl.SSLContext:
    """Of a server on loopback; `certificate.pem` vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, secret)
    return context
