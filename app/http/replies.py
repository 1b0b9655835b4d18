"""Replies about users and sign-ins, as models; users alone as bytes, as a page of models took twice the time.

A write shows a user as the next GET does, and what it shows is stored where it has an Idempotency-Key.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Any, get_args

import anyio
import orjson
from bson import ObjectId
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import SecretStr
from starlette.types import Message, Receive, Scope, Send

from app.accounts import IssuedTokens
from app.auth.sessions import Session, session_of
from app.auth.throttles import CounterState
from app.core import dispositions
from app.core.freshness import AGE
from app.core.mongo import Row
from app.core.paging import Page
from app.core.settings import Settings
from app.http.problems import describe, describe_kept
from app.jobs import Job
from app.keys.keyring import KeyInfo
from app.listing import ListingPage
from app.users.batches import Result
from app.users.idempotency import StoredReply
from models.audit import AuditEntry, AuditPage, Change
from models.listing import Suggestion, Suggestions, Total
from models.mail_code import MailRequested
from models.opaque_token import NewOpaqueToken, OpaqueTokenList, OpaqueTokenOutput
from models.problem import Problem
from models.session import MOST_SESSIONS, SessionList, SessionOutput
from models.setting import SettingList, SettingOutput
from models.signing_key import SigningKeyOutput
from models.throttle import CounterOutput, ThrottleOutput
from models.token import TokenOutput
from models.upload import UploadOutput

STALLED_S = 60.0
"""How long a client may read nothing of a download before it counts as gone."""
_TOKEN_FIELDS = tuple(name for name in OpaqueTokenOutput.model_fields if name != "id")
_JSON = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


VERSIONED = {
    "ETag": {
        "description": "The version, to be sent in If-Match.",
        "schema": {"type": "string", "pattern": '^"[1-9][0-9]{0,18}"$', "maxLength": 21, "examples": ['"3"']},
    }
}
"""The header of a reply with one user, for OpenAPI."""


AGED = {
    AGE: {
        "description": "Only where a secondary answered, as the primary does not: what was written so many "
        "seconds before may be missing.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 3_600},
    }
}
"""The header of a read that a secondary may answer, for OpenAPI."""

REPLAYED = {
    "Idempotency-Replayed": {
        "description": "`true` if the request was done before under the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
"""The header of a repeated reply, for OpenAPI."""

ASKED: dict[int | str, dict[str, Any]] = {
    202: {"model": MailRequested, "description": "What follows is in a mail to the address."}
}
"""The reply of an operation that waits for the code of a mail, for OpenAPI."""


def merge_patch(model: str) -> dict[str, Any]:
    """The `openapi_extra` of an operation that accepts a merge patch of this model, besides plain JSON."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    content = {"application/merge-patch+json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _public(rows: list[Row]) -> bytes:
    """JSON of well-formed rows, which it uses up, with `_id` renamed to `id`.

    Renaming in the text avoids a copy of every row. No text of a user can contain the sequence, as JSON
    escapes its quotes.
    """
    for row in rows:
        row["_id"] = row["_id"].binary.hex()
    return orjson.dumps(rows, option=_JSON).replace(b'{"_id":', b'{"id":')


def etag(row: Row) -> str:
    return f'"{row["version"]}"'


def asked() -> Response:
    return Response(b"{}", status_code=202, media_type="application/json")


def user(row: Row, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        _public([row])[1:-1],
        status_code=status,
        media_type="application/json",
        headers={"ETag": etag(row), **(headers or {})},
    )


def user_unless_known(row: Row, known: frozenset[str]) -> Response:
    """The user, or 304 if If-None-Match names the row's version, or any."""
    if "*" in known or str(row["version"]) in known:
        return Response(status_code=304, headers={"ETag": etag(row)})
    return user(row)


def created(row: Row) -> Response:
    return user(row, status=201, headers={"Location": f"/users/{row['_id']}"})


def answer(reply: Response) -> StoredReply:
    """The reply as it is stored for repetitions of the request."""
    return StoredReply(reply.status_code, dict(reply.headers), bytes(reply.body))


def again(kept: StoredReply) -> Response:
    return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})


def page(request: Request, found: ListingPage) -> Response:
    around = {"next": found.next, "previous": found.previous, "total": found.total}
    return Response(
        b'{"items":%b,%b' % (_public(found.rows), orjson.dumps(around, default=Total.model_dump)[1:]),
        media_type="application/json",
        headers={"Link": _links(request, next=found.next, prev=found.previous)},
    )


def audit(found: Page[Row]) -> AuditPage:
    return AuditPage(items=list(map(_entry, found.items)), next=found.next)


def _entry(entry: Row) -> AuditEntry:
    by, import_id = entry["by"], entry["import"]
    return AuditEntry(
        id=str(entry["_id"]),
        at=entry["at"],
        user=str(entry["user"]),
        action=entry["action"],
        by=str(by) if by is not None else None,
        client=entry["client"],
        via=entry["via"],
        import_id=str(import_id) if import_id is not None else None,
        request_id=entry["request"],
        version=entry["version"],
        differences=[
            Change(pointer=change["pointer"], before=change.get("from"), to=change.get("to"))
            for change in entry["differences"]
        ],
        forgotten=entry["forgotten"],
    )


def upload(upload_id: ObjectId, url: str, expires_at: datetime) -> UploadOutput:
    return UploadOutput(id=str(upload_id), url=url, expires_at=expires_at)


def problem(job: Job | None) -> Problem | None:
    """What the stored error says; the places that it does not name stay unset, and out of the reply."""
    if job is None or job.error is None:
        return None
    return Problem.model_validate(describe_kept(job.error, request_id=job.request_id))


def token(issued: IssuedTokens) -> TokenOutput:
    claims = issued.claims
    return TokenOutput(
        access_token=issued.access_token,
        token_type="Bearer",  # noqa: S106 - RFC 6750's name of the kind
        expires_in=claims.expires_at - claims.issued_at,
        refresh_token=issued.refresh_token,
        scope=" ".join(sorted(claims.scopes)),
        id_token=issued.id_token,
    )


def sessions(found: Sequence[Session], *, current: str) -> SessionList:
    items = [
        SessionOutput(
            **asdict(session)
            | {
                "address": session.address or None,
                "agent": session.agent or None,
                "current": session.id == session_of(current),
            }
        )
        for session in found[:MOST_SESSIONS]
    ]
    return SessionList(items=items)


def opaque_token(text: str, stored: Row) -> NewOpaqueToken:
    return NewOpaqueToken(**_describe_token(stored), token=text)


def opaque_tokens(found: Sequence[Row]) -> OpaqueTokenList:
    return OpaqueTokenList(items=[OpaqueTokenOutput(**_describe_token(stored)) for stored in found])


def _describe_token(stored: Row) -> dict[str, Any]:
    return {"id": stored["_id"]} | {name: stored[name] for name in _TOKEN_FIELDS}


def throttle(found: Sequence[CounterState]) -> ThrottleOutput:
    waits = [counter.waits_until for counter in found if counter.waits_until]
    counters = [CounterOutput(**asdict(counter)) for counter in found]
    return ThrottleOutput(waits_until=max(waits, default=None), counters=counters)


def settings(found: Settings) -> SettingList:
    values = found.model_dump(mode="json")
    return SettingList(items=[_setting(found, name, value) for name, value in values.items()])


def _setting(found: Settings, name: str, value: Any) -> SettingOutput:
    field = Settings.model_fields[name]
    is_secret = SecretStr in get_args(field.annotation)
    return SettingOutput(
        name=f"ROSTER_{name.upper()}",
        value=None if is_secret else _write(value),
        is_set=name in found.model_fields_set,
        is_secret=is_secret,
        meaning=field.description or "",
    )


def _write(value: Any) -> str | None:
    """As the environment would have it."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or None
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def signing_key(key: KeyInfo) -> SigningKeyOutput:
    return SigningKeyOutput(**asdict(key))


def suggestions(rows: list[Row]) -> Suggestions:
    return Suggestions(items=[Suggestion(**row, id=str(row["_id"])) for row in rows])


def batch(results: list[Result]) -> Response:
    """As bytes, which are stored where the request has an Idempotency-Key."""
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
    """The Link header (RFC 8288): the same query with other cursors; relative, for use behind proxies."""
    asked = [
        part
        for part in request.scope["query_string"].decode("latin-1").translate(_NO_DELIMITERS).split("&")
        if part and not part.startswith(("cursor=", "skip=", "start="))
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
"""Escapes of characters that would end a URL between angle brackets."""


class Download(StreamingResponse):
    """A stream that is closed as soon as its client goes.

    Starlette leaves an abandoned generator, and so a cursor on the server, to the garbage collector.
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
                "Content-Disposition": dispositions.attach(filename),
                "X-Accel-Buffering": "no",
                **(headers or {}),
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(STALLED_S):
                await send(message)

        async with aclosing(self._chunks):
            first = await anext(self._chunks, b"")  # what fails before it can still be answered
            async with aclosing(_continue(first, self._chunks)) as self.body_iterator:
                await super().__call__(scope, receive, send_in_time)


async def _continue(first: bytes, others: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield first
    async for chunk in others:
        yield chunk
