"""Applies plans: the job, and the import's state."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core import clock
from app.core.errors import InsufficientScopeError
from app.database.connections import Connections
from app.database.transactions import sessions_about, together
from app.imports.import_records import Import, ImportRecords, author_of, path_of
from app.imports.lanes import LANES, Lanes
from app.imports.row_writer import RowWriter
from app.jobs import Job, JobCancelledError, Jobs, Run, Viewer
from app.users import Authority, Users
from app.users.authority import ADMIN
from models.imports import APPLIED, PENDING, ImportState

_LEFT_S = 3_600
"""The least remaining lifetime of a plan to apply: rows must not expire meanwhile."""

OnProgress = Callable[[int, int], Awaitable[None]]
"""Called with the number of done rows, and of all."""


class Applier:
    """Begins the job that applies a plan, and runs it."""

    def __init__(self, connections: Connections, records: ImportRecords, jobs: Jobs, users: Users) -> None:
        self._settings = connections.settings
        self._database = connections.database
        self._records = records
        self._kind = records.kind
        self._jobs = jobs
        self._users = users

    async def begin(self, import_id: ObjectId, viewer: Viewer, *, notify: bool = False) -> Job | None:
        """The job that applies the import; None if it has been applied.

        An import has one job at a time; after one that was cancelled or failed, another goes on. Errors:
        it is not there, or has no plan; InsufficientScopeError if an administrator planned it and the caller
        is none. `notify`: a mail tells who planned it once the job has ended; MailOffError.
        """
        self._jobs.check_notice(notify=notify)
        found = await self._records.find(import_id, viewer)
        if found["state"] == "applied":
            return None
        if found["planned_at"] is None:
            raise self._kind.not_planned("There is no plan yet: wait until its job has succeeded.")
        if ADMIN in found["scopes"] and not viewer.is_admin:
            raise InsufficientScopeError(ADMIN, "An administrator made this plan: only one may apply it.")

        left_s = (found["expires_at"] - clock.now()).total_seconds()
        if left_s < min(_LEFT_S, self._settings.import_ttl_s / 10):
            raise self._kind.not_planned("The plan expires too soon to be applied: make it again.")

        async def submit(session: AsyncClientSession) -> Job:
            job = await self._jobs.submit(
                self._kind.apply_job,
                str(import_id),
                result=path_of(found),
                by=found["by"],
                total=sum(found["counts"][status] for status in PENDING),
                key=f"import_apply:{import_id}",
                notify=notify,
                session=session,
            )
            await self._note(import_id, {"state": "applying", "apply_job": str(job.id)}, session)
            return job

        job = await together(self._database.client, submit)
        await self._jobs.announce(str(job.id))
        return job

    async def apply(self, job: Run) -> None:
        """The handler of the job. When it is stopped, the done rows stay done and are counted."""
        found = await self._records.read(ObjectId(job.subject))
        try:
            await self.carry_out(found, job.progress)
        except (JobCancelledError, asyncio.CancelledError):
            if job.is_cancelled:
                await self._close(found["_id"], "cancelled")
            raise

    async def carry_out(self, found: Import, on_progress: OnProgress) -> None:
        """Apply all pending rows of an import, under the authority that planned it."""
        counts = await self._records.count(found["_id"])
        total = sum(counts[status] for status in (*PENDING, *APPLIED.values()))
        done = total - sum(counts[status] for status in PENDING)

        async def advance(more: int) -> None:
            nonlocal done
            done += more
            await on_progress(done, total)

        await on_progress(done, total)
        async with sessions_about(self._records.imports, found["_id"], LANES) as sessions:
            writers = [self._writer(found, session) for session in sessions]
            await Lanes(self._records.imports, writers).write_all(advance)
        await self._close(found["_id"], "applied", applied_at=clock.now())

    async def settle(self, found: Import) -> None:
        """Finish rows that a killed run has begun, so that no change stays without its trail."""
        if found.get("begun"):
            async with self._database.client.start_session() as session:
                await self._writer(found, session).finish_begun()

    def _writer(self, found: Import, session: AsyncClientSession) -> RowWriter:
        authority = Authority(frozenset(found["scopes"]), author_of(found))
        rows, begun = self._records.rows, found.get("begun", 0)
        return RowWriter(found["_id"], rows, self._users, session, authority, found["columns"], begun=begun)

    async def _close(self, import_id: ObjectId, state: ImportState, **more: Any) -> None:
        counts = await self._records.count(import_id)
        await self._note(import_id, {"state": state, "counts": counts, **more})

    async def _note(
        self, import_id: ObjectId, change: dict[str, Any], session: AsyncClientSession | None = None
    ) -> None:
        """Change the import, unless it has been applied."""
        await self._records.imports.update_one(
            {"_id": import_id, "state": {"$ne": "applied"}}, {"$set": change}, session=session
        )
