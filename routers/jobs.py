"""`/jobs`: what becomes of long work."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from app import events, replies
from app.dependencies import Backends, Caller, JobId, JobOptions, JobViewer, query_parameters
from app.errors import (
    ExpiredCursorError,
    InvalidCursorError,
    InvalidError,
    JobEndedError,
    JobNotFoundError,
    TooManyListenersError,
)
from app.jobs import Job
from app.problems import SIGNED_IN, responses
from models.job import JobOutput, JobPage, JobQuery

router = APIRouter(tags=["jobs"])

_EVENT = 'id: 3\nevent: progress\ndata: {"id":"6b05f0a1e1b7a3d4c9f01234","kind":"export",…}\n\n'
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `progress` and, as the last, `end`: each with the job as its data.",
        "content": {"text/event-stream": {"schema": {"type": "string", "examples": [_EVENT]}}},
    }
}


@router.get(
    "/jobs",
    response_model=JobPage,
    summary="Jobs, the newest first",
    openapi_extra=query_parameters(JobQuery),
    responses=responses(InvalidError, InvalidCursorError, ExpiredCursorError, *SIGNED_IN),
)
async def list_jobs(asked: JobOptions, viewer: JobViewer, opened: Backends) -> Response:
    """Your own; with `users:admin` everybody's."""
    found = await opened.jobs.page(asked, viewer)
    items = [replies.describe_job(Job.read(document)) for document in found.documents]
    return replies.plain({"items": items, "next": found.next})


@router.get(
    "/jobs/{job_id}",
    response_model=JobOutput,
    summary="One job",
    responses=responses(JobNotFoundError, InvalidError, *SIGNED_IN),
)
async def read_job(job_id: JobId, viewer: JobViewer, opened: Backends) -> Response:
    """How far it is, and what became of it. Another's is not found, but by administrators."""
    return replies.plain(replies.describe_job(await opened.jobs.find(job_id, viewer)))


@router.post(
    "/jobs/{job_id}/cancel",
    response_model=JobOutput,
    summary="Cancel a job",
    responses=responses(JobNotFoundError, JobEndedError, InvalidError, *SIGNED_IN),
)
async def cancel_job(job_id: JobId, viewer: JobViewer, opened: Backends) -> Response:
    """One that waits is cancelled at once, one that runs within a few seconds; what it did stays done."""
    return replies.plain(replies.describe_job(await opened.jobs.cancel(job_id, viewer)))


@router.get(
    "/jobs/{job_id}/events",
    response_class=Response,
    summary="A job's progress as server-sent events",
    responses=responses(JobNotFoundError, TooManyListenersError, InvalidError, *SIGNED_IN) | _EVENTS,
)
async def stream_job(
    job_id: JobId,
    caller: Caller,
    viewer: JobViewer,
    opened: Backends,
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="The `id` of the last event that arrived.")
    ] = None,
) -> Response:
    """The job as it is, then at each change until it ends. The stream ends too when your session does."""
    since = (
        int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else None
    )
    return replies.Events(_write(await events.listen(opened, job_id, caller, viewer, since=since)))


async def _write(news: AsyncGenerator[Job | None, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(news):
        async for job in news:
            yield replies.event(job)
