"""One run of a job by a worker: the handler's side of it, and its heartbeat."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.core.errors import RosterError, UnavailableError
from app.jobs.job_records import Job
from app.jobs.leases import Leases
from app.jobs.stopping import stop
from models.job import JobState

log = structlog.get_logger("roster.jobs")

FAILURES = 20
"""How often a job goes back to the queue because a backend was away: over seven minutes, with the delays."""
ATTEMPTS = 200
"""How often a job is taken at all: one that kills its workers ends, too."""
_LONGEST_DELAY_MS = 30_000
_FIRST_DELAY_MS = 500
_BEAT_S = 1.0
_REPORT_S = 0.3
_ENDING_S = 60.0
_ENDING_PAUSE_S = 0.5

Handler = Callable[["Run"], Awaitable[None]]
Said = dict[str, int | None]


class JobCancelledError(Exception):
    """Somebody asked to cancel the job; its handler stops where that leaves nothing half done."""


class LeaseLostError(Exception):
    """The job is another worker's by now, or nobody knows; its handler stops at once."""


class Run:
    """What a handler gets. One that is told to stop in the midst of waiting sees asyncio.CancelledError."""

    def __init__(self, leases: Leases, lease: str, job: Job) -> None:
        self.id = job.id
        self.subject = job.subject
        self.by = job.by
        self.attempt = job.attempts
        """1 for the first; a later one finds what an earlier one did."""
        self.is_cancelled = job.cancel_asked
        self.is_lost = False
        self.unsaid: Said = {}
        self._leases = leases
        self._lease = lease
        self._reported_at = 0.0

    async def progress(self, done: int, total: int | None = None) -> None:
        """Say how far it is; of many calls a few a second are written, and the last.

        JobCancelledError, LeaseLostError: stop.
        """
        self.unsaid = {"done": done} if total is None else {"done": done, "total": total}
        if time.monotonic() - self._reported_at >= _REPORT_S:
            await self.renew()
        self.check()

    def check(self) -> None:
        if self.is_lost:
            raise LeaseLostError
        if self.is_cancelled:
            raise JobCancelledError

    async def renew(self) -> None:
        """Keep the lease and write what is unsaid; notes what happened to the job meanwhile."""
        said, self.unsaid = self.unsaid, {}
        self._reported_at = time.monotonic()
        try:
            job = await self._leases.renew(self.id, self._lease, said)
        except BaseException:
            self.unsaid = said | self.unsaid
            raise
        self.is_lost = job is None
        self.is_cancelled = self.is_cancelled or (job is not None and job.cancel_asked)


async def perform(leases: Leases, handler: Handler, lease: str, job: Job, *, stopping: asyncio.Event) -> bool:
    """Run a job that was taken; whether it waits again and somebody should be told.

    When the worker stops, the handler does, and the job goes back to the queue.
    """
    run = Run(leases, lease, job)
    work = asyncio.ensure_future(_work(handler, run))
    beat = asyncio.create_task(_beat(run, leases.lease_ms / 1000))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({work, beat, told}, return_when=asyncio.FIRST_COMPLETED)
    await stop(work, within_s=leases.lease_ms / 1000)
    await stop(beat, told)
    return await _conclude(_Ending(leases, lease, job, run), _outcome(work))


def _outcome(work: asyncio.Future[None]) -> BaseException | None:
    """One that would not stop counts as stopped: its lease is another's from here on."""
    return work.exception() if work.done() and not work.cancelled() else asyncio.CancelledError()


async def _work(handler: Handler, run: Run) -> None:
    run.check()
    if run.attempt > ATTEMPTS:
        raise RosterError(f"The job was begun {ATTEMPTS} times and never came to its end.")
    log.info("job_started", job_id=run.id, attempt=run.attempt)
    await handler(run)


async def _beat(run: Run, lease_s: float) -> None:
    """Renews the lease; ends when it is lost, could not be renewed for too long, or the job is cancelled."""
    renewed_at = time.monotonic()
    while not (run.is_lost or run.is_cancelled):
        await asyncio.sleep(min(_BEAT_S, lease_s / 3))
        with suppress(PyMongoError):
            asked_at = time.monotonic()
            await run.renew()
            renewed_at = asked_at
        run.is_lost = run.is_lost or time.monotonic() - renewed_at >= lease_s


@dataclass(frozen=True, slots=True)
class _Ending:
    leases: Leases
    lease: str
    job: Job
    run: Run

    async def end(self, state: JobState, error: dict[str, Any] | None = None) -> None:
        job_id, said = self.job.id, self.run.unsaid
        await self._insist(lambda: self.leases.end(job_id, self.lease, state, error=error, said=said))
        log.info("job_ended", job_id=job_id, state=state, **({"code": error["code"]} if error else {}))

    async def give_back(self) -> bool:
        log.info("job_given_back", job_id=self.job.id)
        return await self._insist(lambda: self.leases.give_back(self.job.id, self.lease))

    async def put_off(self, reason: BaseException) -> None:
        delay_ms = min(_LONGEST_DELAY_MS, _FIRST_DELAY_MS * 2**self.job.failures)
        log.warning("job_put_off", job_id=self.job.id, delay_ms=delay_ms, reason=type(reason).__name__)
        await self._insist(
            lambda: self.leases.give_back(self.job.id, self.lease, delay_ms=delay_ms, failures=1)
        )

    async def _insist(self, write: Callable[[], Awaitable[bool]]) -> bool:
        """Though MongoDB is away for a while; after that the lapse of the lease speaks for the outcome."""
        due = time.monotonic() + _ENDING_S
        while True:
            try:
                return await write()
            except PyMongoError as error:
                if time.monotonic() > due:
                    log.warning("job_outcome_lost", job_id=self.job.id, reason=type(error).__name__)
                    return False
            await asyncio.sleep(_ENDING_PAUSE_S)


async def _conclude(ending: _Ending, outcome: BaseException | None) -> bool:
    """Write what became of the run; whether the job waits again at once."""
    run = ending.run
    if run.is_lost or isinstance(outcome, LeaseLostError):
        log.warning("job_lost", job_id=run.id)
        return False
    match outcome:
        case None:
            await ending.end("succeeded")
        case JobCancelledError():
            await ending.end("cancelled")
        case asyncio.CancelledError() if run.is_cancelled:
            await ending.end("cancelled")
        case asyncio.CancelledError():
            return await ending.give_back()
        case PyMongoError() | RedisError() | UnavailableError() if ending.job.failures < FAILURES:
            await ending.put_off(outcome)
        case _:
            await ending.end("failed", _describe(outcome))
    return False


def _describe(outcome: BaseException) -> dict[str, Any]:
    """The members of a problem that the run knows; the exception itself goes to the log alone."""
    if isinstance(outcome, PyMongoError | RedisError):
        outcome = UnavailableError("A backend did not answer, however often the job was tried again.")
    elif not isinstance(outcome, RosterError):
        log.error("internal_error", exc_info=outcome)
        outcome = RosterError("Something broke on our side; the request_id finds it in the log.")
    return {
        "status": outcome.status,
        "code": outcome.code,
        "title": outcome.title,
        "detail": outcome.detail,
        "errors": [
            {
                name: value
                for name in ("detail", "pointer", "parameter")
                if (value := getattr(bad, name)) is not None
            }
            for bad in outcome.errors
        ],
    }
