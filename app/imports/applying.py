"""What a plan says is done: the job that does it, and what becomes of the import."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.audit.write import Author
from app.container import Container
from app.core import clock
from app.core.errors import ImportNotPlannedError, InsufficientScopeError
from app.database.transactions import session_about, together
from app.imports import import_records
from app.imports.import_records import Import
from app.imports.row_writer import RowWriter
from app.jobs import Job, JobCancelledError, Run, Viewer
from app.users import Authority
from app.users.authority import ADMIN
from models.imports import APPLIED, PENDING, ImportState

_LEFT_S = 3_600
"""What must be left of a plan that begins to be applied: rows that expire in its midst would not be done."""

OnProgress = Callable[[int, int], Awaitable[None]]
"""Told how many rows were done, of how many."""


async def begin(opened: Container, import_id: ObjectId, viewer: Viewer) -> Job | None:
    """The job that applies the import; None where it has been applied.

    Of one import there is one job at a time; where it was cancelled or failed, another goes on. Errors:
    ImportNotFoundError, ImportNotPlannedError; InsufficientScopeError for one who may not do what an
    administrator planned.
    """
    found = await import_records.find(opened.connections.database, import_id, viewer)
    if found["state"] == "applied":
        return None
    if found["planned_at"] is None:
        raise ImportNotPlannedError("There is no plan yet: wait until its job has succeeded.")
    if ADMIN in found["scopes"] and not viewer.is_admin:
        raise InsufficientScopeError(ADMIN, "An administrator made this plan: only one may apply it.")

    left_s = (found["expires_at"] - clock.now().replace(tzinfo=None)).total_seconds()
    if left_s < min(_LEFT_S, opened.settings.import_ttl_s / 10):
        raise ImportNotPlannedError("The plan expires too soon to be applied: make it again.")

    async def submit(session: AsyncClientSession) -> Job:
        job = await opened.jobs.submit(
            "import_apply",
            str(import_id),
            result=f"/users/imports/{import_id}",
            by=found["by"],
            total=sum(found["counts"][status] for status in PENDING),
            key=f"import_apply:{import_id}",
            session=session,
        )
        await _note(opened, import_id, {"state": "applying", "apply_job": job.id}, session)
        return job

    job = await together(opened.connections.database.client, submit)
    await opened.jobs.announce(job.id)
    return job


async def apply(opened: Container, job: Run) -> None:
    """The handler of the job. What was done when it is stopped stays done, and is counted."""
    found = await import_records.read(opened.connections.database, ObjectId(job.subject))
    try:
        await carry_out(opened, found, job.progress)
    except (JobCancelledError, asyncio.CancelledError):
        if job.is_cancelled:
            await _close(opened, found["_id"], "cancelled")
        raise


async def carry_out(opened: Container, found: Import, on_progress: OnProgress) -> None:
    """All that is pending of a planned import, by the authority it was planned under."""
    counts = await import_records.count(opened.connections.database, found["_id"])
    total = sum(counts[status] for status in (*PENDING, *APPLIED.values()))
    done = total - sum(counts[status] for status in PENDING)

    async def advance(more: int) -> None:
        nonlocal done
        done += more
        await on_progress(done, total)

    await on_progress(done, total)
    author = Author(found["by"], via="import", import_id=found["_id"])
    authority = Authority(frozenset(found["scopes"]), opened.auth.sessions.ending, author)
    rows = import_records.rows(opened.connections.database)
    async with session_about(import_records.imports(opened.connections.database), found["_id"]) as session:
        await RowWriter(found["_id"], rows, session, authority, found["columns"]).write_all(advance)
    await _close(opened, found["_id"], "applied", applied_at=clock.now())


async def _close(opened: Container, import_id: ObjectId, state: ImportState, **more: Any) -> None:
    counts = await import_records.count(opened.connections.database, import_id)
    await _note(opened, import_id, {"state": state, "counts": counts, **more})


async def _note(
    opened: Container, import_id: ObjectId, change: dict[str, Any], session: AsyncClientSession | None = None
) -> None:
    """An import that has been applied changes no more, whoever comes late."""
    await import_records.imports(opened.connections.database).update_one(
        {"_id": import_id, "state": {"$ne": "applied"}}, {"$set": change}, session=session
    )
