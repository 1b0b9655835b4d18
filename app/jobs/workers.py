"""A worker: runs the jobs that the queue names, some at a time, and sweeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from taskiq.receiver import Receiver

from app.core.stopping import stop
from app.jobs import sweeps
from app.jobs.job_queue import TASK, JobQueue
from app.jobs.jobs import Jobs
from app.jobs.leases import Leases
from app.jobs.runs import Handler, perform
from app.monitoring.logs import REQUEST_ID
from models.job import JobKind

log = structlog.get_logger("roster.jobs")

_PAUSE_S = 1.0
_LAST_WORDS_S = 5.0


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Work to repeat; a failure is logged, and the next round tries again."""

    do: Callable[[], Awaitable[object]]
    every_s: float


@asynccontextmanager
async def working(
    jobs: Jobs,
    job_queue: JobQueue,
    leases: Leases,
    handlers: Mapping[JobKind, Handler],
    *,
    at_once: int,
    periodic_tasks: Sequence[PeriodicTask] = (),
) -> AsyncIterator[None]:
    """Run jobs until the block is left; handlers are stopped then, and other workers can take their jobs."""
    worker = _Worker(jobs, leases, handlers)

    async def run(job_id: str) -> None:
        await worker.run(job_id)

    job_queue.register_task(run, task_name=TASK)
    sweep = PeriodicTask(
        lambda: sweeps.send_overdue(leases.jobs, jobs, lease_ms=leases.lease_ms), leases.lease_ms / 3000
    )
    listening = asyncio.create_task(_listen(job_queue, worker.stopping, at_once))
    doing = [asyncio.create_task(_repeat(task)) for task in (sweep, *periodic_tasks)]
    try:
        yield
    finally:
        worker.stopping.set()
        await stop(*doing)
        await asyncio.wait({listening}, timeout=leases.lease_ms / 1000 + _LAST_WORDS_S)
        await stop(listening)


class _Worker:
    def __init__(self, jobs: Jobs, leases: Leases, handlers: Mapping[JobKind, Handler]) -> None:
        self.stopping = asyncio.Event()
        self._jobs = jobs
        self._leases = leases
        self._handlers = handlers

    async def run(self, job_id: str) -> None:
        """Run the job; does nothing if it is done, taken, or of a kind that only newer versions know."""
        if self.stopping.is_set():
            await self._jobs.announce(job_id)
            return
        taken = await self._leases.take(job_id, self._handlers.keys())
        if taken is None:
            return
        lease, job = taken
        REQUEST_ID.set(job.request_id)
        waits = await perform(self._leases, self._handlers[job.kind], lease, job, stopping=self.stopping)
        if waits:
            await self._jobs.announce(job_id)


async def _listen(job_queue: JobQueue, stopping: asyncio.Event, at_once: int) -> None:
    while not stopping.is_set():
        receiver = Receiver(job_queue, max_async_tasks=at_once, run_startup=False)
        try:
            await receiver.listen(stopping)
        except Exception as error:
            log.warning("jobs_not_heard", exc_info=error)
            await asyncio.sleep(_PAUSE_S)


async def _repeat(task: PeriodicTask) -> None:
    while True:
        try:
            await task.do()
        except Exception as error:
            log.warning("chore_failed", reason=type(error).__name__, exc_info=error)
        await asyncio.sleep(task.every_s)
