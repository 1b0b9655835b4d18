"""One run of a job by a worker: what its handler sees, and its heartbeat."""

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
from app.core.stopping import stop
from app.jobs.leases import Leases
from models.job import Job, JobState

log = structlog.get_logger("roster.jobs")

FAILURES = 20
"""How often a job goes back to the queue because a backend is unavailable: for over seven minutes."""
ATTEMPTS = 200
"""How often a job is taken at most: one that kills its workers must end."""
_LONGEST_DELAY_MS = 30_000
FIRST_DELAY_MS = 500
_BEAT_S = 1.0
_REPORT_S = 0.3
_ENDING_S = 60.0
_ENDING_PAUSE_S = 0.5

Handler = Callable[["Run"], Awaitable[None]]
Fields = dict[str, int | None]


class JobCancelledError(Exception):
    """The job is to be cancelled; its handler stops where nothing is left half done."""


class LeaseLostError(Exception):
    """Another worker has the job, or may have; its handler stops at once."""


class Run:
    """A run as its handler sees it. A handler that is stopped while waiting sees asyncio.CancelledError."""

    def __init__(self, leases: Leases, lease: str, job: Job) -> None:
        self.id = str(job.id)
        self.subject = job.subject
        self.by = job.by
        self.attempt = job.attempts
        """1 for the first run; a later one finds what an earlier one did."""
        self.is_cancelled = job.cancel_asked
        self.is_lost = False
        self.pending: Fields = {}
        self._leases = leases
        self._lease = lease
        self._reported_at = 0.0

    async def progress(self, done: int, total: int | None = None) -> None:
        """Report progress; a few calls a second are written, and the last.

        JobCancelledError, LeaseLostError: stop.
        """
        self.pending = {"done": done} if total is None else {"done": done, "total": total}
        if time.monotonic() - self._reported_at >= _REPORT_S:
            await self.renew()
        self.check()

    def check(self) -> None:
        if self.is_lost:
            raise LeaseLostError
        if self.is_cancelled:
            raise JobCancelledError

    async def renew(self) -> None:
        """Keep the lease, write pending progress and note whether the job was cancelled or lost."""
        fields, self.pending = self.pending, {}
        self._reported_at = time.monotonic()
        try:
            job = await self._leases.renew(self.id, self._lease, fields)
        except BaseException:
            self.pending = fields | self.pending
            raise
        self.is_lost = job is None
        self.is_cancelled = self.is_cancelled or (job is not None and job.cancel_asked)


async def perform(leases: Leases, handler: Handler, lease: str, job: Job, *, stopping: asyncio.Event) -> bool:
    """Run a job that was taken; whether it is queued again and must be announced.

    When the worker stops, the handler is stopped and the job goes back to the queue.
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
    """How the work ended; work that does not stop counts as stopped, as others may take its lease."""
    return work.exception() if work.done() and not work.cancelled() else asyncio.CancelledError()


async def _work(handler: Handler, run: Run) -> None:
    run.check()
    if run.attempt > ATTEMPTS:
        raise RosterError(f"The job was begun {ATTEMPTS} times and never finished.")
    log.info("job_started", job_id=run.id, attempt=run.attempt)
    await handler(run)


async def _beat(run: Run, lease_s: float) -> None:
    """Renew the lease until it is lost, cannot be renewed for too long, or the job is cancelled."""
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
        fields, code = self.run.pending, {"code": error["code"]} if error else {}
        await self._insist(lambda: self.leases.end(self.job, self.lease, state, error=error, fields=fields))
        log.info("job_ended", job_id=str(self.job.id), state=state, **code)

    async def give_back(self) -> bool:
        log.info("job_given_back", job_id=str(self.job.id))
        return await self._insist(lambda: self.leases.give_back(str(self.job.id), self.lease))

    async def put_off(self, reason: BaseException) -> None:
        delay_ms = min(_LONGEST_DELAY_MS, FIRST_DELAY_MS * 2**self.job.failures)
        log.warning("job_put_off", job_id=str(self.job.id), delay_ms=delay_ms, reason=type(reason).__name__)
        await self._insist(
            lambda: self.leases.give_back(str(self.job.id), self.lease, delay_ms=delay_ms, failures=1)
        )

    async def _insist(self, write: Callable[[], Awaitable[bool]]) -> bool:
        """Try again while MongoDB is unavailable; in the end the lease lapses and others take over."""
        due = time.monotonic() + _ENDING_S
        while True:
            try:
                return await write()
            except PyMongoError as error:
                if time.monotonic() > due:
                    log.warning("job_outcome_lost", job_id=str(self.job.id), reason=type(error).__name__)
                    return False
            await asyncio.sleep(_ENDING_PAUSE_S)


async def _conclude(ending: _Ending, outcome: BaseException | None) -> bool:
    """Write how the run ended; whether the job is queued again at once."""
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
    """The members of a problem that the run knows; an unexpected exception goes only to the log."""
    if isinstance(outcome, PyMongoError | RedisError):
        outcome = UnavailableError("A backend did not answer, though the job was tried again several times.")
    elif not isinstance(outcome, RosterError):
        log.error("internal_error", exc_info=outcome)
        outcome = RosterError("Something failed on our side; look for the request_id in the log.")
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
