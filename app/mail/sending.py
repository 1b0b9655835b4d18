"""The senders of a process: as many as it may have connections to the mail server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import NoReturn

import structlog
from pymongo.errors import PyMongoError

from app.core.settings import Settings
from app.core.stopping import stop
from app.mail.delivery import AwayError, Delivery, ways
from app.mail.dispatch import Dispatcher, find_delay
from app.mail.messages import Messages
from app.mail.outbox import Outbox
from app.monitoring import metrics

log = structlog.get_logger("roster.mail")

LOOK_S = 5.0
"""How often senders look for mails that they were not told of."""
_SWEEP_S = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)
_ANSWERS = 6
"""Waits for the server while a mail is sent: MAIL, RCPT, DATA and its end, RSET, QUIT."""


@asynccontextmanager
async def sending(outbox: Outbox, settings: Settings, *, last_mail_s: float = 10.0) -> AsyncIterator[None]:
    """Send mails, where mail is on, until the block is left; one on its way has some time to arrive.

    StartError: a template or an address is wrong.
    """
    if not outbox.is_on:
        yield
        return
    claim_s = settings.smtp_timeout_s * _ANSWERS
    dispatcher = Dispatcher(outbox, Messages(settings).compose, claim_s=claim_s)
    stuck: set[_Sender] = set()
    senders = [_Sender(dispatcher, way, stuck) for way in ways(settings)]
    tasks = [asyncio.create_task(sender.run()) for sender in senders]
    sweeping = asyncio.create_task(_sweep(dispatcher))

    def wake() -> None:
        for sender in senders:
            sender.woken.set()

    outbox.wake_sender = wake
    try:
        yield
    finally:
        outbox.wake_sender = None
        for sender in senders:
            sender.stopping.set()
        wake()
        await stop(sweeping)
        await asyncio.wait(tasks, timeout=min(last_mail_s, settings.smtp_timeout_s))
        await stop(*tasks)


class _Sender:
    def __init__(self, dispatcher: Dispatcher, way: Delivery, stuck: "set[_Sender]") -> None:
        """`stuck` is shared by the senders of a process: those whose last try met no server."""
        self.woken = asyncio.Event()
        self.stopping = asyncio.Event()
        self._dispatcher = dispatcher
        self._way = way
        self._stuck = stuck
        self._failures = 0

    async def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.woken.clear()
                if not await self._send_next() and not await _wait(self.woken, LOOK_S):
                    await self._way.close()
        finally:
            await self._way.close()

    async def _send_next(self) -> bool:
        """Whether to go on at once; while the server or MongoDB is away, that is later each time."""
        try:
            found = await self._dispatcher.send_next(self._way)
        except (AwayError, PyMongoError) as error:
            self._failures += 1
            self._tell(error)
            pause = find_delay(self._failures, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
            await _wait(self.stopping, pause.total_seconds())
            return True
        self._failures = 0
        self._stuck.discard(self)
        return found

    def _tell(self, error: Exception) -> None:
        """Count the failure, and log the first until a sender gets on."""
        if isinstance(error, AwayError):
            metrics.MAIL_SERVER_FAILURES.inc()
        if not self._stuck:
            reason = str(error) if isinstance(error, AwayError) else type(error).__name__
            log.warning("mails_wait", reason=reason)
        self._stuck.add(self)


async def _sweep(dispatcher: Dispatcher) -> NoReturn:
    while True:
        with suppress(PyMongoError):
            metrics.MAILS_STALE.inc(await dispatcher.claims.fail_stale())
        await asyncio.sleep(_SWEEP_S)


async def _wait(event: asyncio.Event, within_s: float) -> bool:
    """Whether it was set in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            return await event.wait()
    return False
