"""Uvicorn's HTTP protocol with bounds on heads and trailers, which its parser keeps without a limit.

It also asks for admission before a request costs anything, and stops without losing requests: see `shutdown`.
Uvicorn's protocol is not public: pyproject.toml holds it to the release that the tests ran with.
"""

import asyncio
import sys
from typing import Any, cast
from weakref import WeakSet

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.core.errors import RosterError
from app.core.limits import CURRENT, Keys, Turn
from app.http.admission import Admission, find_kind
from app.http.job_replies import ENDLESS
from app.http.middleware import REFUSAL
from app.http.problems import HeadersTooLargeError, HTTPVersionError, URITooLongError
from app.http.refusals import LONGEST_START, explain

LONGEST_HEAD = 65_536
"""Bytes of a request line with its headers, or of trailers: the limit of h11, uvicorn's other parser."""

LULL_S = 1.0
"""How long an idle connection stays open during a stop: a request may be on its way."""

_stopping: WeakSet[ServerState] = WeakSet()
"""The servers that stop: a connection accepted just before may be reported only after that, by asyncio's
loop."""

_VERSIONS = frozenset({"1.0", "1.1"})
_UNREAD: dict[str, Any] = {"method": "UNKNOWN", "path": "", "raw_path": b"", "query_string": b""}
"""What was unread of a refused request."""


class BoundedHttp(HttpToolsProtocol):
    """Counts the bytes since the parser last finished anything; one chunk more may get in."""

    _admission: Admission
    _unfinished = 0
    _start = b""
    """The start of the request that is being read: its method is unknown once the parser refused it."""
    _is_in_body = False
    _has_refused = False
    _visit: "_Visit | None" = None
    """The last request that took a slot, waits for one or was refused."""

    def data_received(self, data: bytes) -> None:
        if self._has_refused:
            return
        if not self._unfinished:
            self._start = data[:LONGEST_START]
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > LONGEST_HEAD and not self.transport.is_closing():
            self._refuse(self._too_long())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.on_message_begin()  # so that the parser knows that a request began
        self._admission = cast("FastAPI", self.config.loaded_app).state.admission
        if self.server_state in _stopping:
            self._close_after_lull()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._visit is not None and not self._visit.cycle.response_complete:
            self._visit.give_up()
        self._visit = None

    def start(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:
        super()._start_asgi_task(cycle, cast("ASGI3Application", app))

    def turn_away(self, cycle: RequestResponseCycle, kind: str) -> None:
        """Refuse a request. Its body is read and dropped, unless the client waits for leave to send it."""
        self._admission.note_refusal(kind)
        keep_alive = cycle.keep_alive and not cycle.waiting_for_100_continue
        self.transport.write(self._admission.make_refusal(cast("Scope", cycle.scope), keep_alive=keep_alive))
        cycle.response_started = cycle.response_complete = True
        if not keep_alive:
            self.transport.close()
        elif self.pipeline:
            self.loop.call_soon(self.on_response_complete)  # each may be refused: no recursion
        else:
            self.on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        scope = cycle.scope
        kind = find_kind(scope["method"], scope["path"], scope["query_string"])
        if kind is None:
            self._visit = None
            super()._start_asgi_task(cycle, app)
        else:
            self._visit = _Visit(self, self._admission, kind, cycle, cast("ASGIApp", app))
            self._visit.enter()

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        if self.parser.get_http_version() not in _VERSIONS:
            raise HTTPVersionError("Send HTTP/1.1.")
        super().on_headers_complete()
        self._is_in_body = True
        if self.server_state in _stopping:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        self._is_in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.server_state in _stopping and self._is_idle():
            self._close_after_lull()

    def shutdown(self) -> None:
        """Accept one more request on each connection; its reply announces the end.

        Uvicorn itself would close idle connections at once, and lose a request that was just sent, and others
        after a reply that could not announce the end.
        """
        _stopping.add(self.server_state)
        if self._is_idle():
            self._close_after_lull()
        elif self._is_endless():
            self.transport.close()  # else the stop would wait for it until the grace is over
        elif not self.cycle.response_started:
            self.cycle.keep_alive = False

    def _is_endless(self) -> bool:
        return self.cycle is not None and bool(self.cycle.scope.get("state", {}).get(ENDLESS))

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_after_lull(self) -> None:
        self.loop.call_later(LULL_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (what Uvicorn says of any error)
        """Called by Uvicorn when its parser raised an error."""
        too_long = max(self._unfinished, len(self.url)) > LONGEST_HEAD
        self._refuse(self._too_long() if too_long else explain(sys.exception(), self._start))

    def _too_long(self) -> RosterError:
        if len(self.url) > LONGEST_HEAD / 2:
            return URITooLongError(f"The request line may have at most {LONGEST_HEAD} bytes.")
        return HeadersTooLargeError(f"Headers, or trailers, may have at most {LONGEST_HEAD} bytes together.")

    def _refuse(self, error: RosterError) -> None:
        """Let the application answer in the request's turn, with its headers, log and metrics.

        A request whose body cannot be read is taken from its handler, unless its reply has begun: then the
        connection ends.
        """
        if self._has_refused:
            return
        self._has_refused = True
        if self._is_in_body:
            if self.cycle.response_started or self.pipeline:
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        is_next = self._is_idle() or self._is_in_body
        self.cycle = self._cycle_of(error)
        if is_next:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _cycle_of(self, error: RosterError) -> RequestResponseCycle:
        scope: dict[str, Any] = {**_UNREAD, **self.scope, REFUSAL: error}
        return RequestResponseCycle(
            scope=cast("HTTPScope", scope),
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )


class _Visit(Turn):
    """A request that asks for admission, as an ASGI application that gives its slot back at its end."""

    __slots__ = ("_admission", "_app", "_connection", "_is_gone", "_kind", "_task", "cycle")

    def __init__(
        self,
        connection: BoundedHttp,
        admission: Admission,
        kind: str,
        cycle: RequestResponseCycle,
        app: ASGIApp,
    ) -> None:
        super().__init__(admission.limiters[kind])
        self._admission = admission
        self._app = app
        self._connection = connection
        self._kind = kind
        self._is_gone = False
        self._task: asyncio.Task[object] | None = None
        self.cycle = cycle

    def begin(self) -> None:
        self._connection.start(self.cycle, self)

    def refuse(self) -> None:
        self._connection.turn_away(self.cycle, self._kind)

    def find_keys(self) -> Keys:
        return self._admission.find_keys(cast("Scope", self.cycle.scope))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._task = asyncio.current_task()
        CURRENT.set(self)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._is_gone:
                raise
        finally:
            self._task = None
            self.leave()

    def give_up(self) -> None:
        """The client has gone: cancel the request, unless it is a change that has begun."""
        if self._task is None:
            self.leave()
        elif self.cycle.scope["method"] in {"GET", "HEAD"}:
            self._is_gone = True
            self._task.cancel()
