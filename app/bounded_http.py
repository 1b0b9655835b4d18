"""Uvicorn's HTTP protocol with a bound on what stands around a body, which its parser keeps without one.

And with a stop that loses no request: see `shutdown`.
"""

import asyncio
from weakref import WeakSet

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.job_replies import ENDLESS

LONGEST_HEAD = 65_536
"""Bytes of a request line with its headers, or of trailers: as many as h11, uvicorn's other parser, takes."""

LULL_S = 1.0
"""How long an idle connection stays open once the server stops: a request may be on its way."""

_stopping: WeakSet[ServerState] = WeakSet()
"""The servers that stop. Of one accepted just before, asyncio's loop tells after it; uvloop's does not."""

_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """Counts what was received since the parser last told of anything finished; a chunk more may get in."""

    _unfinished = 0

    def data_received(self, data: bytes) -> None:
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > LONGEST_HEAD and not self.transport.is_closing():
            self._refuse()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        if self.server_state in _stopping:
            self._close_after_lull()

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        super().on_headers_complete()
        if self.server_state in _stopping:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.server_state in _stopping and self._is_idle():
            self._close_after_lull()

    def shutdown(self) -> None:
        """Let each connection bring one more request, whose reply says that it is the last.

        Uvicorn closes those that are idle at that moment, and with them a request that has just been sent;
        and those whose reply has begun, and so cannot say that it is the last, at its end.
        """
        _stopping.add(self.server_state)
        if self._is_idle():
            self._close_after_lull()
        elif self._is_endless():
            self.transport.close()  # else the stop would wait for it as long as it does for anybody
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

    def _refuse(self) -> None:
        """A reply under way is not mixed with another: then the connection just ends."""
        self.logger.warning("A request's head or trailers are over %d bytes.", LONGEST_HEAD)
        if self._is_idle():
            self.transport.write(_REFUSAL)
        self.transport.close()
