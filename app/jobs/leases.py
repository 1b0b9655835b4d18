"""Leases on jobs, by which workers take a job, keep it, give it back and end it.

A lease is a random word, made when a job is taken. A worker names it in each change of the job, so that one
that was believed dead changes nothing any more.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import bson
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.mongo import Collection
from app.database.transactions import together
from app.jobs import job_records
from models.job import Job, JobKind, JobState

_NEXT = {"$add": ["$revision", 1]}


OnEnd = Callable[[Job, AsyncClientSession], Awaitable[None]]
"""Called in the transaction that ends a job, if users are to be told."""


async def _tell_nobody(_job: Job, _session: AsyncClientSession) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Leases:
    jobs: Collection
    lease_ms: int
    ttl_ms: int
    on_end: OnEnd = _tell_nobody

    async def take(self, job_id: str, kinds: Iterable[JobKind]) -> tuple[str, Job] | None:
        """The lease and the job, if it is of one of the kinds and may be taken."""
        if not bson.ObjectId.is_valid(job_id):
            return None
        lease = secrets.token_hex(12)
        taken = {
            "state": "running",
            "lease": lease,
            "lease_until": self._until,
            "attempts": {"$add": ["$attempts", 1]},
            "started_at": {"$ifNull": ["$started_at", "$$NOW"]},
            "revision": _NEXT,
        }
        found = await self.jobs.find_one_and_update(
            {"_id": bson.ObjectId(job_id), "kind": {"$in": list(kinds)}, **job_records.FREE},
            [{"$set": taken}],
            return_document=ReturnDocument.AFTER,
        )
        return None if found is None else (lease, job_records.read(found))

    async def renew(
        self, job_id: str, lease: str, fields: Mapping[str, int | None] | None = None
    ) -> Job | None:
        """Keep the lease, perhaps with progress; the job, or None if the lease is lost."""
        news = {**fields, "revision": _NEXT} if fields else {}
        found = await self.jobs.find_one_and_update(
            _held(job_id, lease),
            [{"$set": {"lease_until": self._until, **news}}],
            return_document=ReturnDocument.AFTER,
        )
        return None if found is None else job_records.read(found)

    async def give_back(self, job_id: str, lease: str, *, delay_ms: int = 0, failures: int = 0) -> bool:
        """Put the job back into the queue; whether it was still ours. After a delay the sweep sends it."""
        waiting = {
            "state": "queued",
            "lease": None,
            "lease_until": None,
            "not_before": {"$add": ["$$NOW", delay_ms]},
            "sent_at": None if delay_ms else "$$NOW",
            "failures": {"$add": ["$failures", failures]},
            "revision": _NEXT,
        }
        done = await self.jobs.update_one(_held(job_id, lease), [{"$set": waiting}])
        return done.modified_count == 1

    async def end(
        self,
        job: Job,
        lease: str,
        state: JobState,
        *,
        error: dict[str, Any] | None = None,
        fields: Mapping[str, int | None] | None = None,
    ) -> bool:
        change = job_records.ended(state, self.ttl_ms, error, **(fields or {}))

        async def write(session: AsyncClientSession | None = None) -> bool:
            done = await self.jobs.update_one(_held(str(job.id), lease), change, session=session)
            if done.modified_count and session is not None:
                await self.on_end(job.model_copy(update={"state": state}), session)
            return done.modified_count == 1

        is_told = job.notify or job.recipients
        return await (together(self.jobs.database.client, write) if is_told else write())

    @property
    def _until(self) -> dict[str, Any]:
        return {"$add": ["$$NOW", self.lease_ms]}


def _held(job_id: str, lease: str) -> dict[str, Any]:
    return {"_id": bson.ObjectId(job_id), "state": "running", "lease": lease}
