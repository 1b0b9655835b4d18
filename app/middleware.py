"""Pure ASGI layers around the application, outermost first: RequestContext, HeadAsGet, BodyLimit."""

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from time import perf_counter_ns

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import RosterError, TooLargeError
from app.logs import REQUEST_ID
from app.problems import MalformedRequestError, internal_error_response, problem_response

log = structlog.get_logger("roster.access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_MAX_LENGTH_DIGITS = 18
_LINGER_S = 2.0


class RequestContext:
    """Gives each request an id, one log line at its end, a last-resort 500 and the headers all replies have.

    An exception after the first byte goes on to the server, which breaks the transfer: a reply that only
    looks whole would be worse. The id stays bound to the task, so that the server's own lines carry it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        REQUEST_ID.set(exchange.request_id)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except Exception as error:
            exchange.error = type(error).__name__
            if exchange.status is not None:
                raise
            await internal_error_response(error)(scope, receive, exchange.send)
        finally:
            exchange.log()


class _Exchange:
    """One request and what has become of its reply."""

    __slots__ = (
        "_receive", "_scope", "_send", "_start", "complete", "error", "gone", "request_id", "size", "status",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._start = perf_counter_ns()
        self.request_id = _request_id(scope)
        self.status: int | None = None
        self.size = 0
        self.gone = self.complete = False
        self.error: str | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            _add_headers(headers, self.request_id)
            await self._send({**message, "headers": headers})
            return
        await self._send(message)
        if message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False) and not self.gone

    def log(self) -> None:
        more = {} if self.error is None else {"error": self.error}
        if self.gone and not self.complete:
            more["ended_by"] = "client"
        log.info(
            "request",
            method=self._scope["method"],
            route=_route(self._scope),
            status=self.status,
            duration_ms=round((perf_counter_ns() - self._start) / 1e6, 2),
            bytes=self.size,
            complete=self.complete,
            **more,
        )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return os.urandom(8).hex()


def _add_headers(headers: list[tuple[bytes, bytes]], request_id: str) -> None:
    """Add ours; no reply is stored by a cache unless it says otherwise, as it may hold personal data."""
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    headers.append((b"x-content-type-options", b"nosniff"))
    headers.append((b"x-request-id", request_id.encode()))


def _route(scope: Scope) -> str | None:
    """The template, such as `/users/{user_id}`: the path itself may hold personal data."""
    # FastAPI keeps the template of a route included under a prefix here, and only here.
    included = scope.get("fastapi", {}).get("effective_route_context")
    path: str | None = getattr(included or scope.get("route"), "path", None)
    return path


class HeadAsGet:
    """Answers HEAD with the headers of GET (RFC 9110, 9.3.2); a stream is stopped at its first byte."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        head = _Head(send)
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]  # RFC 9110, 14.2
        as_get = {**scope, "method": "GET", "headers": headers}
        try:
            await self.app(as_get, receive, head.send)
        except Exception:
            if not head.answered:
                raise
        finally:
            scope.update({key: as_get[key] for key in ("route", "fastapi") if key in as_get})


class _HeadAnsweredError(OSError):
    """Tells a stream that nobody listens any more; an OSError, as ASGI wants for that."""


class _Head:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.answered = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
            return
        if not self.answered:
            self.answered = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        if message.get("more_body", False):
            raise _HeadAnsweredError


class BodyLimit:
    """Refuses a body over `default` bytes, or over the limit of its exact path in `overrides`, unparsed."""

    def __init__(
        self, app: ASGIApp, default: int = 1024 * 1024, overrides: Mapping[str, int] | None = None
    ) -> None:
        self.app = app
        self.default = default
        self.overrides = overrides or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.overrides.get(scope["path"], self.default)
        length = _content_length(scope)
        if length is None:
            error = MalformedRequestError("Content-Length must be one whole number.")
            await _refuse(error, receive, send)
        elif length > limit:
            await _refuse(_too_large(limit), receive, send)
        else:
            await self._count(limit, scope, receive, send)

    async def _count(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        body = _CountedBody(limit, receive, send)
        try:
            await self.app(scope, body.receive, body.send)
        except Exception:
            if not body.refused:
                raise
        if body.refused:
            await _refuse(_too_large(limit), receive, send)


class _CountedBody:
    """Counts what is read; once that is too much, what the application makes of the torn body is dropped."""

    __slots__ = ("_receive", "_rest", "_send", "_started", "refused")

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self._rest = limit
        self._receive = receive
        self._send = send
        self._started = self.refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._rest -= len(message.get("body", b""))
            if self._rest < 0:
                self.refused = not self._started
                msg = "The body is over the limit."
                raise TooLargeError(msg)
        return message

    async def send(self, message: Message) -> None:
        if not self.refused:
            self._started = True
            await self._send(message)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body may have at most {limit} bytes.")


def _content_length(scope: Scope) -> int | None:
    """Announced bytes, 0 if nothing is announced, None if it is not a number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) <= _MAX_LENGTH_DIGITS else None
    return 0


async def _refuse(error: RosterError, receive: Receive, send: Send) -> None:
    """Answer at once, then read on for a moment.

    Closing on unread bytes would reset the connection, and the client would lose the answer.
    """
    response = problem_response(error)
    headers = [*response.raw_headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})
