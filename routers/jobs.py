"""`/jobs`: the state of long work."""

from typing import Any

from fastapi import APIRouter, Response

from app.core.errors import (
    InvalidError,
    JobEndedError,
    JobNotFoundError,
    TooManyListenersError,
)
from app.http import job_events, job_replies
from app.http.dependencies import Backends, Caller, JobId, JobOptions, JobViewer, LastEvent, query_parameters
from app.http.problems import PAGED, SIGNED_IN, responses
from models.job import JobOutput, JobPage, JobQuery

router = APIRouter(tags=["jobs"])

_EVENT = 'id: 3\nevent: progress\ndata: {"id":"6b05f0a1e1b7a3d4c9f01234","kind":"export",…}\n\n'
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `progress` and finally `end`, each with the job as its data.",
        "content": {"text/event-stream": {"schema": {"examples": [_EVENT]}}},
    }
}


@router.get(
    "/jobs",
    response_model_exclude_unset=True,
    summary="Jobs, the newest first",
    openapi_extra=query_parameters(JobQuery),
    responses=responses(*PAGED, *SIGNED_IN),
)
async def list_jobs(asked: JobOptions, viewer: JobViewer, opened: Backends) -> JobPage:
    """Your own; with `users:admin` those of all users."""
    return job_replies.jobs(await opened.jobs.page(asked, viewer))


@router.get(
    "/jobs/{job_id:oid}",
    response_model_exclude_unset=True,
    summary="One job",
    responses=responses(JobNotFoundError, InvalidError, *SIGNED_IN),
)
async def read_job(job_id: JobId, viewer: JobViewer, opened: Backends) -> JobOutput:
    """Its progress and its result. Jobs of others are found only by administrators."""
    return job_replies.describe(await opened.jobs.find(job_id, viewer))


@router.post(
    "/jobs/{job_id:oid}/cancel",
    response_model_exclude_unset=True,
    summary="Cancel a job",
    responses=responses(JobNotFoundError, JobEndedError, InvalidError, *SIGNED_IN),
)
async def cancel_job(job_id: JobId, viewer: JobViewer, opened: Backends) -> JobOutput:
    """A queued job is cancelled at once, a running one within a few seconds; what it did stays done."""
    return job_replies.describe(await opened.jobs.cancel(job_id, viewer))


@router.get(
    "/jobs/{job_id:oid}/events",
    response_class=Response,
    summary="A job's progress as server-sent events",
    responses=responses(JobNotFoundError, TooManyListenersError, InvalidError, *SIGNED_IN) | _EVENTS,
)
async def stream_job(
    job_id: JobId,
    caller: Caller,
    viewer: JobViewer,
    opened: Backends,
    since: LastEvent,
) -> Response:
    """The job now, then at each change until it ends. The stream also ends with your session."""
    return job_replies.Events(
        await job_events.listen(opened.jobs, opened.auth.sessions, job_id, caller, viewer, since=since)
    )
