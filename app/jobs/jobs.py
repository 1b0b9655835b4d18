"""Jobs as callers use them: submit, find, wait, follow, list, cancel."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any, get_args

import bson
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from app.core.cursors import CursorSealer
from app.core.errors import JobEndedError, JobNotFoundError
from app.core.paging import Page, newest_first
from app.database.connections import Connections
from app.jobs import job_records
from app.jobs.job_queue import JobQueue
from app.jobs.job_records import Viewer
from app.mail import Outbox
from app.monitoring.logs import REQUEST_ID
from models.job import Job, JobKind, JobQuery, JobState

LISTENERS = 100
"""To events of jobs, in one process: each holds a connection and follows its job."""
_FIRST_LOOK_S = 0.02
_LONGEST_LOOK_S = 0.5
_OPEN: list[JobState] = ["queued", "running"]


class Jobs:
    def __init__(
        self, connections: Connections, job_queue: JobQueue, cursors: CursorSealer, outbox: Outbox
    ) -> None:
        self.listeners = asyncio.Semaphore(LISTENERS)
        """Room for those who follow jobs."""
        self.job_queue = job_queue
        self._jobs = job_records.collection(connections.database)
        self._cursors = cursors
        self._outbox = outbox
        self._ttl_ms = connections.settings.job_ttl_s * 1000

    def check_notice(self, *, notify: bool) -> None:
        """MailOffError where a mail is wished for and none can be sent."""
        if notify:
            self._outbox.check()

    async def submit(
        self,
        kind: JobKind,
        subject: str,
        *,
        result: str | None,
        by: str | None,
        total: int | None = None,
        key: str | None = None,
        notify: bool = False,
        recipients: Sequence[str] = (),
        session: AsyncClientSession | None = None,
    ) -> Job:
        """The queued job, stored in MongoDB whether or not Redis is available.

        One job has a `key`: if there is one, it is returned. A job that failed or was cancelled gives its key
        up. `notify`: a mail tells `by` once it has ended, and `recipients` if it has succeeded. Within a
        `session`'s transaction no worker is told; `announce` it after the commit.
        """
        document = job_records.new(
            kind,
            subject,
            result=result,
            by=by,
            request_id=_request_id(),
            total=total,
            key=key,
            notify=notify,
            recipients=recipients,
        )
        while True:
            if key is not None and (found := await self._jobs.find_one(_keyed(key), session=session)):
                return job_records.read(found)
            try:
                await self._jobs.insert_one(document, session=session)
                break
            except DuplicateKeyError:
                if session is not None:  # the transaction is over and must be begun again
                    raise
        job = job_records.read(document)
        if session is None:
            await self.announce(str(job.id))
        return job

    async def announce(self, job_id: str) -> None:
        """Tell the workers; where Redis is unavailable, their next sweep finds the job."""
        if not await self.job_queue.send(job_id):
            await self._jobs.update_one({"_id": bson.ObjectId(job_id)}, {"$set": {"sent_at": None}})

    async def find(self, job_id: str, viewer: Viewer | None = None) -> Job:
        """One job. JobNotFoundError: unknown, expired, or not for the viewer."""
        wanted = {"_id": _id(job_id), **(viewer.filter if viewer else {})}
        found = await self._jobs.find_one(wanted)
        if found is None:
            raise _not_found()
        return job_records.read(found)

    async def wait(self, job_id: str, within_s: float) -> Job:
        """The job once it has ended, or as it is when the time is over."""
        due = time.monotonic() + within_s
        pause = _FIRST_LOOK_S
        while True:
            job = await self.find(job_id)
            left = due - time.monotonic()
            if job.has_ended or left <= 0:
                return job
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_LOOK_S)

    async def follow(
        self, job_id: str, *, since: int | None = None, quiet_s: float = 15.0
    ) -> AsyncGenerator[Job | None, None]:
        """Yields the job now, unless `since` is its revision, and at each change; None after `quiet_s`.

        Ends with the job. JobNotFoundError: it does not exist, or no longer.
        """
        spoke_at = time.monotonic()
        while True:
            job = await self.find(job_id)
            if job.revision != since or job.has_ended:
                since = job.revision
                spoke_at = time.monotonic()
                yield job
            elif time.monotonic() - spoke_at >= quiet_s:
                spoke_at = time.monotonic()
                yield None
            if job.has_ended:
                return
            await asyncio.sleep(_LONGEST_LOOK_S)

    async def page(self, asked: JobQuery, viewer: Viewer) -> Page[Job]:
        """A page of jobs, the newest first, as documents that `Job.read` reads."""
        wanted = viewer.filter
        for name in ("state", "kind"):
            if values := getattr(asked, name):
                wanted[name] = {"$in": values}
        found = await newest_first(self._jobs, self._cursors, wanted, asked)
        return Page(list(map(Job.model_validate, found.items)), found.next)

    async def count_open(self) -> dict[tuple[JobKind, JobState], int]:
        """How many jobs of each kind wait and run, zeros included.

        A job whose lease has lapsed counts as waiting.
        """
        counts: dict[tuple[JobKind, JobState], int] = {
            (kind, state): 0 for kind in get_args(JobKind) for state in _OPEN
        }
        groups = await self._jobs.aggregate(
            [
                {"$match": {"state": {"$in": _OPEN}}},
                {"$group": {"_id": {"kind": "$kind", "state": _WORKED_ON}, "number": {"$sum": 1}}},
            ],
            hint="state",
        )
        async for group in groups:
            counts[group["_id"]["kind"], group["_id"]["state"]] = group["number"]
        return counts

    async def cancel(self, job_id: str, viewer: Viewer | None = None) -> Job:
        """Cancel a job, or ask the worker that runs it to stop. JobEndedError: too late."""
        which = {"_id": _id(job_id), **(viewer.filter if viewer else {})}
        cancelled = job_records.ended("cancelled", self._ttl_ms)
        while True:
            job = await self.find(job_id, viewer)
            if job.state == "cancelled":
                return job
            if job.has_ended:
                raise JobEndedError(f"The job has {job.state} already.")
            for condition, change in (
                (job_records.FREE | which, cancelled),
                ({"state": "queued"} | which, cancelled),
                ({"state": "running"} | which, _ASKED_TO_STOP),
            ):
                found = await self._jobs.find_one_and_update(
                    condition, change, return_document=ReturnDocument.AFTER
                )
                if found is not None:
                    return job_records.read(found)


_WORKED_ON = {
    "$cond": [
        {"$and": [{"$eq": ["$state", "running"]}, {"$gte": ["$lease_until", "$$NOW"]}]},
        "running",
        "queued",
    ]
}
_ASKED_TO_STOP: list[dict[str, Any]] = [
    {
        "$set": {
            "cancel_asked": True,
            "revision": {"$add": ["$revision", {"$cond": ["$cancel_asked", 0, 1]}]},
        }
    }
]


def _keyed(key: str) -> dict[str, object]:
    """The filter of a key; it names the type, as the partial unique index requires."""
    return {"key": {"$eq": key, "$type": "string"}}


def _id(job_id: str) -> bson.ObjectId:
    try:
        return bson.ObjectId(job_id)
    except bson.errors.InvalidId:
        raise _not_found() from None


def _not_found() -> JobNotFoundError:
    return JobNotFoundError("There is no job with this id, or it is not yours.")


def _request_id() -> str:
    """The id of the current request, or a new one."""
    known = REQUEST_ID.get()
    return known if known != "-" else os.urandom(8).hex()
