"""Pure ASGI middleware, outermost first: RequestContext, HeadAsGet, QueryInUTF8, BodyLimit.

Between the first two are `app.http.trusted_hosts` and CORS, between the next two `app.http.compression` and
`app.http.page_errors`.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from random import getrandbits
from time import perf_counter_ns
from urllib.parse import unquote_to_bytes

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import RosterError, TooLargeError
from app.core.freshness import FRESHNESS, Freshness
from app.http.languages import WISH, Wish
from app.http.problems import MalformedRequestError, internal_error_response, problem_response
from app.http.route_paths import find_template
from app.monitoring.logs import REQUEST_ID
from app.monitoring.metrics import observe_request

log = structlog.get_logger("roster.access")

REFUSAL = "roster.refusal"
"""In the scope of a request that the HTTP server could not parse: the error to answer with."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_MAX_LENGTH_DIGITS = 18
LINGER_S = 2.0

Headers = list[tuple[bytes, bytes]]

_IN_WINDOWS = ("/auth", "/docs")
"""Where applications, and `/docs` itself, sign people in by a second window, which answers the first."""
APART = (b"cross-origin-opener-policy", b"same-origin")
"""Not of replies in `_IN_WINDOWS`."""
OWN = (b"cross-origin-resource-policy", b"same-origin")
"""Not of pictures under `_SHOWN`, which pages of other origins show."""
_SHOWN = "/avatars/"
_ANY_ORIGIN = (OWN[0], b"cross-origin")
_SAFE: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    APART,
    OWN,
]
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""The policy of replies that are no pages; `/docs` has its own."""
_ALWAYS_TLS = (b"strict-transport-security", b"max-age=31536000")


def safe_headers(*, tls: bool) -> Headers:
    """The headers of every reply; `tls`: whether the service is reached by https."""
    return [*_SAFE, _ALWAYS_TLS] if tls else _SAFE


class RequestContext:
    """Gives each request an id, a log line, metrics, a last-resort 500 and all our headers.

    An exception after the first byte goes on to the server, which breaks the transfer: a reply that only
    looks complete would be worse. The id stays bound to the task, so that the server's own log lines have it.
    """

    def __init__(self, app: ASGIApp, *, tls: bool = False, counts: bool = False) -> None:
        """`tls`: whether the service is reached by https, so that browsers may be told to insist on it.

        `counts`: whether requests are counted for Prometheus.
        """
        self.app = app
        self._counts = counts
        self._headers = safe_headers(tls=tls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._headers)
        REQUEST_ID.set(exchange.request_id)
        WISH.set(exchange.wish)
        FRESHNESS.set(exchange.freshness)
        try:
            if REFUSAL in scope:
                await _refuse(scope[REFUSAL], exchange.receive, exchange.send)
            else:
                await self.app(scope, exchange.receive, exchange.send)
        except Exception as error:
            exchange.error = type(error).__name__
            if exchange.status is not None:
                raise
            await internal_error_response(error)(scope, receive, exchange.send)
        finally:
            exchange.end(counts=self._counts)


class _Exchange:
    """One request and the state of its reply."""

    __slots__ = (
        "_headers", "_receive", "_scope", "_send", "_start",
        "complete", "error", "freshness", "gone", "request_id", "size", "status", "wish",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        self._headers = headers
        self._scope = scope
        self._receive = receive
        self._send = send
        self._start = perf_counter_ns()
        self.request_id = find_request_id(scope)
        self.wish = Wish(scope["headers"])
        self.freshness = Freshness(scope["headers"])
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
            headers = [*message.get("headers", ()), *self._headers]
            self._add_headers(headers)
            await self._send({**message, "headers": headers})
            return
        await self._send(message)
        if message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False) and not self.gone

    def _add_headers(self, headers: Headers) -> None:
        """Add our headers. Caches may not store a reply unless it allows that, as it may have personal data.

        The duration of a sign-in is left out, as it might reveal which part failed. So is what would part a
        popup from the application that opened it to sign in, for good: also once it has gone back there.
        """
        names = {name for name, _ in headers}
        if b"cache-control" not in names:
            headers.append((b"cache-control", b"no-store"))
        if _POLICY[0] not in names:
            headers.append(_POLICY)
        headers += self.wish.describe(names)
        headers.append((b"x-request-id", self.request_id.encode()))
        if self._scope["path"].startswith(_IN_WINDOWS):
            headers.remove(APART)
        if self._scope["path"].startswith(_SHOWN):
            headers[headers.index(OWN)] = _ANY_ORIGIN
        if self._scope["path"].startswith("/users"):  # elsewhere it would tell whether an address is known
            headers += self.freshness.describe()
        if not self._scope["path"].startswith("/auth"):
            headers.append((b"server-timing", b"app;dur=%.1f" % ((perf_counter_ns() - self._start) / 1e6)))

    def end(self, *, counts: bool) -> None:
        seconds = (perf_counter_ns() - self._start) / 1e9
        route = _route(self._scope)
        if counts:
            observe_request(self._scope["method"], route, self.status, seconds)
        more = {} if self.error is None else {"error": self.error}
        if self.gone and not self.complete:
            more["ended_by"] = "client"
        log.info(
            "request",
            method=self._scope["method"],
            route=route,
            status=self.status,
            duration_ms=round(seconds * 1e3, 2),
            bytes=self.size,
            complete=self.complete,
            **more,
        )


def find_request_id(scope: Scope) -> str:
    """The request id that the client sent, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return f"{getrandbits(64):016x}"


def _route(scope: Scope) -> str | None:
    """The route's template, such as `/users/{user_id}`: the path itself may have personal data."""
    # FastAPI has the template of a route under a prefix only here. Not public: see its cap in pyproject.toml.
    included = scope.get("fastapi", {}).get("effective_route_context")
    return find_template(included or scope.get("route"))


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
    """Tells a stream that nobody listens any more; an OSError, as ASGI requires."""


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


class QueryInUTF8:
    """Refuses a query string that is not UTF-8, as its text would be silently replaced."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"%" in scope.get("query_string", b"") and not _is_utf8(unquote_to_bytes(scope["query_string"])):
            error = MalformedRequestError("The query string is not UTF-8: percent-encode text as UTF-8.")
            await problem_response(error)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class BodyLimit:
    """Refuses a body over `default` bytes, unparsed; `overrides` by path, or by the last part of one."""

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
        path = scope["path"]
        limit = self.overrides.get(path) or self.overrides.get(path.rpartition("/")[2], self.default)
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
    """Counts the bytes of a body; past the limit, the application's reply to the cut body is dropped."""

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
                msg = "The body is too large."
                raise TooLargeError(msg)
        return message

    async def send(self, message: Message) -> None:
        if not self.refused:
            self._started = True
            await self._send(message)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body may have at most {limit} bytes.")


def _content_length(scope: Scope) -> int | None:
    """The announced length, 0 without one, None if it is not a number."""
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
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})
