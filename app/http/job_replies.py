"""Replies about jobs and their results."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson
from fastapi import Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.core.paging import DocumentPage
from app.database.stored_files import StoredFile
from app.exports import Export
from app.http import byte_ranges
from app.http.byte_ranges import ByteRange
from app.http.replies import Download, plain, problem
from app.jobs import Job

ENDLESS = "endless"
"""In the `state` of a request's scope: its reply goes on until one side ends it."""


def job(found: Job) -> Response:
    return plain(_describe_job(found))


def jobs(found: DocumentPage) -> Response:
    items = [_describe_job(Job.model_validate(document)) for document in found.documents]
    return plain({"items": items, "next": found.next})


def _describe_job(job: Job) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "kind": job.kind,
        "state": job.state,
        "progress": {"done": job.done, "total": job.total},
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "expires_at": job.expires_at,
        "created_by": job.by,
        "attempts": job.attempts,
        "error": problem(job),
        "result": job.result,
    }


def export(found: Export) -> Response:
    return plain(_describe_export(found))


def exports(found: list[Export], following: str | None) -> Response:
    return plain({"items": [_describe_export(export) for export in found], "next": following})


def _describe_export(export: Export) -> dict[str, Any]:
    document = export.document
    return {
        "id": export.id,
        "state": export.state,
        "job": document["job"],
        "format": export.format,
        "columns": document["labels"],
        "filter": export.filter,
        "q": document["asked"].get("q"),
        "sort": document["asked"].get("sort"),
        "rows": document["rows"],
        "bytes": document["bytes"],
        "sha256": document["sha256"],
        "file": None if document["file"] is None else f"/users/exports/{export.id}/file",
        "error": None if export.job is None else problem(export.job),
        "created_at": document["created_at"],
        "created_by": document["by"],
        "schedule": None if document["schedule"] is None else str(document["schedule"]),
        "expires_at": document["expires_at"],
    }


def submitted(export: Export, waited: float | None) -> Response:
    """201 with the manifest if the file is ready, else 202: the job goes on, or has failed."""
    headers = {"Location": f"/users/exports/{export.id}"}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited:.0f}"
    if export.state == "succeeded":
        return plain(_describe_export(export), status=201, headers=headers)
    return plain(_describe_export(export), status=202, headers=headers | {"Retry-After": "1"})


_OF_A_SCHEDULE = (
    "name", "cron", "timezone", "export", "is_active", "created_at", "next_run_at", "last_run_at",
    "last_skipped_at", "last_job", "last_export",
)  # fmt: skip


def schedule(document: Mapping[str, Any]) -> Response:
    return plain(_describe_schedule(document))


def scheduled(document: Mapping[str, Any]) -> Response:
    headers = {"Location": f"/users/exports/schedules/{document['_id']}"}
    return plain(_describe_schedule(document), status=201, headers=headers)


def schedules(found: DocumentPage) -> Response:
    items = [_describe_schedule(document) for document in found.documents]
    return plain({"items": items, "next": found.next})


def _describe_schedule(document: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: document[name] for name in _OF_A_SCHEDULE}
    return {"id": str(document["_id"]), "created_by": document["by"], **said}


def stored_file(file: StoredFile, export: Export, wanted: ByteRange) -> Response:
    """The file, or a range of it (RFC 9110, sections 13 and 14).

    Its ETag is a hash of its content, so that a download goes on where it broke off, or begins again.
    """
    tag = f'"{export.document["sha256"][:32]}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if tag in (wanted.if_none_match or ""):
        return Response(status_code=304, headers=headers)
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
    data = orjson.dumps(_describe_job(job), option=orjson.OPT_UTC_Z)
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (job.revision, name.encode(), data)


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
