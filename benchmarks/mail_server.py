"""A mail server in a thread of its own, which takes all and notes when."""

import asyncio
import contextlib
import email
import logging
import socket
import threading
import time
from collections.abc import Iterator
from email import policy
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # its lines have every address


class Sink:
    def __init__(self) -> None:
        self.port = 0
        self.taken: list[str] = []
        """The Message-ID of each copy."""
        self.times: list[float] = []

    def has_taken(self, number: int) -> bool:
        return len(self.taken) >= number

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        head = email.message_from_bytes(cast("bytes", envelope.original_content), policy=policy.compat32)
        self.taken.append(str(head["Message-ID"]))
        self.times.append(time.monotonic())
        return "250 OK"


@contextlib.contextmanager
def sinking() -> Iterator[Sink]:
    sink = Sink()
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(
            lambda: SMTP(sink, hostname="sink.test", loop=loop), "127.0.0.1", 0, family=socket.AF_INET
        )
    )
    sink.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listening.close()
        loop.close()
