"""Replies about jobs and their results."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from fastapi import Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.core.mongo import Row
from app.core.paging import Page
from app.exports import Export
from app.files import StoredFile
from app.http import byte_ranges
from app.http.byte_ranges import ByteRange
from app.http.replies import Download, problem
from app.jobs import Job
from models.export_job import ExportOutput
from models.job import JobOutput, JobPage, JobProgress
from models.schedule import ScheduleOutput, SchedulePage

ENDLESS = "endless"
"""In the `state` of a request's scope: its reply goes on until one side ends it."""


def describe(found: Job) -> JobOutput:
    return JobOutput(
        id=str(found.id),
        kind=found.kind,
        state=found.state,
        progress=JobProgress(done=found.done, total=found.total),
        created_at=found.created_at,
        started_at=found.started_at,
        ended_at=found.ended_at,
        expires_at=found.expires_at,
        created_by=found.by,
        attempts=found.attempts,
        error=problem(found),
        result=found.result,
    )


def jobs(found: Page[Job]) -> JobPage:
    return JobPage(items=list(map(describe, found.items)), next=found.next)


def export(found: Export) -> ExportOutput:
    document = found.document
    return ExportOutput(
        id=found.id,
        state=found.state,
        job=document["job"],
        format=found.format,
        columns=document["labels"],
        filter=found.filter,
        q=document["asked"].get("q"),
        sort=document["asked"].get("sort"),
        rows=document["rows"],
        bytes=document["bytes"],
        sha256=document["sha256"],
        file=None if document["file"] is None else f"/users/exports/{found.id}/file",
        error=problem(found.job),
        created_at=document["created_at"],
        created_by=document["by"],
        schedule=None if document["schedule"] is None else str(document["schedule"]),
        destination=document.get("destination"),
        delivered_at=document.get("delivered_at"),
        expires_at=document["expires_at"],
    )


def submitted(found: Export, waited: float | None, reply: Response) -> ExportOutput:
    """The manifest: 201 if the file is ready, else 202: the job goes on, or has failed."""
    reply.headers["Location"] = f"/users/exports/{found.id}"
    if waited is not None:
        reply.headers["Preference-Applied"] = f"wait={waited:.0f}"
    if found.state == "succeeded":
        reply.status_code = 201
    else:
        reply.headers["Retry-After"] = "1"
    return export(found)


_OF_A_SCHEDULE = (
    "name", "cron", "timezone", "export", "is_active", "created_at", "next_run_at", "last_run_at",
    "last_skipped_at", "last_job", "last_export",
)  # fmt: skip


def schedule(document: Mapping[str, Any]) -> ScheduleOutput:
    stored = {name: document[name] for name in _OF_A_SCHEDULE}
    return ScheduleOutput(
        id=str(document["_id"]),
        created_by=document["by"],
        destination=document.get("destination"),
        recipients=document.get("recipients", []),
        **stored,
    )


def schedules(found: Page[Row]) -> SchedulePage:
    return SchedulePage(items=list(map(schedule, found.items)), next=found.next)


async def stored_file(
    file: StoredFile, export: Export, wanted: ByteRange, *, is_direct: bool = True
) -> Response:
    """The file, or a range of it (RFC 9110, sections 13 and 14).

    Its ETag is a hash of its content, so that a download goes on where it broke off, or begins again. If
    `is_direct`, a redirect may lead to a bucket, which keeps the range.
    """
    tag = f'"{export.document["sha256"][:32]}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if tag in (wanted.if_none_match or ""):
        return Response(status_code=304, headers=headers)
    if is_direct and (url := await file.link()) is not None:
        return Response(status_code=307, headers={"Location": url})
    part = byte_ranges.choose(wanted.range, file.length) if wanted.if_range in {None, tag} else None
    start, stop = part or (0, file.length)
    headers["Content-Length"] = str(stop - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.length}"
    return Download(
        file.read(start, stop),
        media_type=export.media_type,
        filename=export.filename,
        status=200 if part is None else 206,
        headers=headers,
    )


async def _write_events(news: AsyncGenerator[Job | None, None]) -> AsyncGenerator[bytes, None]:
    async for job in news:
        yield _event(job)


def _event(job: Job | None) -> bytes:
    """One server-sent event: the job, or a comment that keeps the connection alive."""
    if job is None:
        return b": still there\n\n"
    name = "end" if job.has_ended else "progress"
    data = describe(job).model_dump_json(exclude_unset=True)
    return f"id: {job.revision}\nevent: {name}\ndata: {data}\n\n".encode()


class Events(StreamingResponse):
    """Server-sent events, which end when the server stops; clients then connect to another one."""

    def __init__(self, news: AsyncGenerator[Job | None, None]) -> None:
        self._news = news
        super().__init__(
            _write_events(news), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[ENDLESS] = True
        async with aclosing(self._news):
            await super().__call__(scope, receive, send)
