"""Workers that are killed: `python -m tests.programs.mortal_workers JOB_ID KILLS LONGEST_MS`.

Each is a fork of one process that has everything imported, so that a life costs no start. It takes the job
as any worker does, once the lease of the one before it has lapsed, and is killed at a random moment of its
work. The last one is left alone. Prints how many were killed at work.
"""

import asyncio
import os
import random
import signal
import sys
import time
from functools import partial

from app import container, worker
from app.core import settings
from app.imports import applying
from app.imports.row_writer import RowWriter
from app.jobs import Leases, collection
from app.jobs.runs import perform
from app.monitoring import logs

_LEASE_MS = 300
_LOOK_S = 0.02


async def work(job_id: str, began: int) -> None:
    """One life; says by a byte when it has the job."""
    async with container.opened(settings.load(), apply_indexes=False, sign=False) as opened:
        leases = Leases(collection(opened.connections.database), lease_ms=_LEASE_MS, ttl_ms=60_000)
        while (taken := await leases.take(job_id, list(worker.HANDLERS))) is None:
            if (await opened.jobs.find(job_id)).has_ended:
                return
            await asyncio.sleep(_LOOK_S)
        os.write(began, b".")
        lease, job = taken
        await perform(
            leases, partial(worker.HANDLERS[job.kind], opened), lease, job, stopping=asyncio.Event()
        )


def live(job_id: str, *, longest_s: float | None) -> bool:
    """Whether the worker was killed while it had the job."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        asyncio.run(work(job_id, writer))
        os._exit(0)
    os.close(writer)
    has_job = os.read(reader, 1) == b"."
    os.close(reader)
    if has_job and longest_s is not None:
        time.sleep(random.random() * longest_s)  # noqa: S311 - guards nothing
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    job_id, kills, longest_s = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) / 1000
    logs.configure("error", "json")
    vars(applying)["RowWriter"] = partial(RowWriter, together=10)  # more moments between two transactions
    killed = 0
    for _ in range(kills):
        killed += live(job_id, longest_s=longest_s)
    live(job_id, longest_s=None)
    sys.stdout.write(str(killed))


if __name__ == "__main__":
    main()
