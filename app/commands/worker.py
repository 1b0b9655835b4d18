"""`python -m app worker`: a process that runs jobs and serves no requests."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from app import health_check
from app import worker as workers
from app.commands import serving
from app.commands.running import backends, out, run
from app.container import Container
from app.core import settings
from app.monitoring.gauges import sampling
from app.monitoring.metrics_port import exposed

log = structlog.get_logger("roster.jobs")

_NICENESS = 10


def worker() -> None:
    """Run jobs: imports, exports and scheduled exports; start any number of workers on any machines."""
    _step_back()
    with backends(settings.load()) as (config, _), exposed(config, workers=1):
        run(_work, config)


async def _work(opened: Container) -> None:
    """Run jobs until a signal; unfinished jobs go back to the queue, and other workers take them at once."""
    await opened.files.probe()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    serving.ignore_hangups(stop.set)
    async with sampling(opened, {}), workers.working(opened), _answering(opened):
        out.print("Roster's worker is waiting for jobs.")
        await stop.wait()


@asynccontextmanager
async def _answering(opened: Container) -> AsyncIterator[None]:
    """Let `app.health_check` ask the loop that runs jobs what it lacks; it needs no signing key."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = await opened.readiness.look()
        wrong = [f"{part}: {reason}" for part, reason in parts.items() if reason and part != "keys"]
        writer.write(("; ".join(wrong) or health_check.READY).encode())
        writer.close()

    try:
        server = await asyncio.start_unix_server(answer, health_check.WORKER_SOCKET)
    except OSError as error:  # it is another user's, or the folder is read-only
        log.warning("health_not_answered", path=str(health_check.WORKER_SOCKET), reason=error.strerror)
        yield
        return
    async with server:
        yield


def _step_back() -> None:
    """Lower the priority: on a shared machine, servers get the CPU before jobs."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(_NICENESS)
