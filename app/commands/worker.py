"""`python -m app worker`: a process that works on jobs and serves nobody."""

import asyncio
import os
import signal

from app import serving, settings
from app import worker as workers
from app.commands.running import backends, out, run
from app.exposition import exposed
from app.resources import Resources
from app.sampling import sampling

_NICENESS = 10


def worker() -> None:
    """Work on jobs: imports, exports and what is scheduled; any number of workers on any machines."""
    _step_back()
    with backends(settings.load()) as (config, _), exposed(config, workers=1):
        run(_work, config)


async def _work(opened: Resources) -> None:
    """Until a signal; then jobs under way go back to the queue, and other workers take them at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    serving.ignore_hangups(stop.set)
    async with sampling(opened), workers.working(opened):
        out.print("Roster's worker is waiting for jobs.")
        await stop.wait()


def _step_back() -> None:
    """Nobody waits for a job as for a page: where servers share the machine, theirs is the CPU first."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(_NICENESS)
