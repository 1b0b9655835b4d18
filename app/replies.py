"""Replies written straight from stored rows: a row is serialised as it comes, no object is built for it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import anyio
import orjson
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from app import byte_ranges
from app.accounts import Issued
from app.byte_ranges import Wanted
from app.exports import Export
from app.jobs import Job
from app.listing import Listed
from app.problems import describe, describe_kept
from app.rows import Row
from app.sessions import Session
from app.stored_files import StoredFile
from app.users.batches import Result
from models.listing import Total

ENDLESS = "endless"
"""In the `state` of a request's scope: its reply goes on until somebody ends it."""
STALLED_S = 60.0
"""How long a client may take no byte of a download before it counts as gone."""
_JSON = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


VERSIONED = {
    "ETag": {
        "description": "The user's version, for If-Match.",
        "schema": {"type": "string", "examples": ['"3"']},
    }
}
"""The header of a reply that is one user, for OpenAPI."""


def merge_patch(model: str) -> dict[str, Any]:
    """The `openapi_extra` of an operation that takes a merge patch of this model, besides plain JSON."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    content = {"application/merge-patch+json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _public(rows: list[Row]) -> bytes:
    """JSON of sound rows, which it uses up, with `_id` as callers know it.

    Renaming in the text spares a copy of every row. No text of a user can hold the sequence: JSON escapes
    its quotes.
    """
    for row in rows:
        row["_id"] = row["_id"].binary.hex()
    return orjson.dumps(rows, option=_JSON).replace(b'{"_id":', b'{"id":')


def etag(row: Row) -> str:
    return f'"{row["version"]}"'


def user(row: Row, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        _public([row])[1:-1],
        status_code=status,
        media_type="application/json",
        headers={"ETag": etag(row), **(headers or {})},
    )


def user_unless_known(row: Row, known: frozenset[str]) -> Response:
    """304 where If-None-Match names the row's version, or any."""
    if "*" in known or str(row["version"]) in known:
        return Response(status_code=304, headers={"ETag": etag(row)})
    return user(row)


def created(row: Row) -> Response:
    return user(row, status=201, headers={"Location": f"/users/{row['_id']}"})


def page(request: Request, found: Listed) -> Response:
    around = {"next": found.next, "previous": found.previous, "total": found.total}
    return Response(
        b'{"items":%b,%b' % (_public(found.rows), orjson.dumps(around, default=Total.model_dump)[1:]),
        media_type="application/json",
        headers={"Link": _links(request, next=found.next, prev=found.previous)},
    )


def plain(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content, option=_JSON), status, headers, "application/json")


def problem(job: Job) -> dict[str, object] | None:
    return None if job.error is None else describe_kept(job.error, request_id=job.request_id)


def describe_job(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
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


def describe_export(export: Export) -> dict[str, Any]:
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
    """201 with the manifest once the file is there, else 202: the job goes on, or failed."""
    headers = {"Location": f"/users/exports/{export.id}"}
    if waited is not None:
        headers["Preference-Applied"] = f"wait={waited:.0f}"
    if export.state == "succeeded":
        return plain(describe_export(export), status=201, headers=headers)
    return plain(describe_export(export), status=202, headers=headers | {"Retry-After": "1"})


_OF_A_SCHEDULE = (
    "name", "cron", "timezone", "export", "is_active", "created_at", "next_run_at", "last_run_at",
    "last_skipped_at", "last_job", "last_export",
)  # fmt: skip


def describe_schedule(document: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: document[name] for name in _OF_A_SCHEDULE}
    return {"id": str(document["_id"]), "created_by": document["by"], **said}


def stored_file(file: StoredFile, export: Export, wanted: Wanted) -> Response:
    """The file, or the range of it that is wanted (RFC 9110, sections 13 and 14).

    Its ETag is of its content, so that a download goes on where it broke off, or begins anew.
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


def event(job: Job | None) -> bytes:
    """As a line of server-sent events has it: what became of the job, or a comment that keeps the line up."""
    if job is None:
        return b": still there\n\n"
    name = "end" if job.has_ended else "progress"
    data = orjson.dumps(describe_job(job), option=_JSON)
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (job.revision, name.encode(), data)


def token(issued: Issued) -> Response:
    """RFC 6749, section 5.1; like all our replies, stored by no cache."""
    claims = issued.claims
    return plain(
        {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": claims.expires_at - claims.issued_at,
            "refresh_token": issued.refresh_token,
            "scope": " ".join(sorted(claims.scopes)),
        }
    )


def sessions(found: Sequence[Session], *, current: str) -> Response:
    items = [
        asdict(session)
        | {
            "address": session.address or None,
            "agent": session.agent or None,
            "current": session.id == current,
        }
        for session in found
    ]
    return plain({"items": items})


def suggestions(rows: list[Row]) -> Response:
    return Response(b'{"items":%b}' % _public(rows), media_type="application/json")


def batch(results: list[Result]) -> Response:
    outcomes = [
        {
            "status": result.status,
            "id": result.id,
            "version": result.version,
            "error": describe(result.error) if result.error else None,
        }
        for result in results
    ]
    return Response(orjson.dumps({"results": outcomes}), media_type="application/json")


def _links(request: Request, **cursors: str | None) -> str:
    """RFC 8288: the same query with another cursor; relative, so that it holds behind any proxy."""
    asked = [
        part
        for part in request.scope["query_string"].decode("latin-1").translate(_NO_DELIMITERS).split("&")
        if part and not part.startswith(("cursor=", "skip="))
    ]
    path = request.scope["path"]
    links = [f'<{path}?{"&".join(asked)}>; rel="first"' if asked else f'<{path}>; rel="first"']
    links += [
        f'<{path}?{"&".join([*asked, f"cursor={cursor}"])}>; rel="{rel}"'
        for rel, cursor in cursors.items()
        if cursor
    ]
    return ", ".join(links)


_NO_DELIMITERS = str.maketrans({char: f"%{ord(char):02X}" for char in '<>" ,;'})
"""A URL stands between angle brackets in the header: what would end it early is escaped."""


class Events(StreamingResponse):
    """Server-sent events. They end, and are begun again elsewhere, when the server stops."""

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self._chunks = chunks
        super().__init__(chunks, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[ENDLESS] = True
        async with aclosing(self._chunks):
            await super().__call__(scope, receive, send)


class Download(StreamingResponse):
    """A stream that is closed when its client goes, wherever it then stands.

    Starlette leaves an abandoned generator to the garbage collector, and with it a cursor on the server.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        filename: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._chunks = chunks
        super().__init__(
            chunks,
            status,
            media_type=media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{filename}"',
                "X-Accel-Buffering": "no",
                **(headers or {}),
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(STALLED_S):
                await send(message)

        async with aclosing(self._chunks):
            await super().__call__(scope, receive, send_in_time)
