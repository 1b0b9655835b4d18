"""Uvicorn's HTTP protocol with a bound on what stands around a body, which its parser keeps without one."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.job_replies import ENDLESS

LONGEST_HEAD = 65_536
"""Bytes of a request line with its headers, or of trailers: as many as h11, uvicorn's other parser, takes."""

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

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        super().on_message_complete()

    def shutdown(self) -> None:
        """A reply without an end would hold up the stop of the server for as long as it waits for others."""
        super().shutdown()
        if self.cycle is not None and self.cycle.scope.get("state", {}).get(ENDLESS):
            self.transport.close()

    def _refuse(self) -> None:
        """A reply under way is not mixed with another: then the connection just ends."""
        self.logger.warning("A request's head or trailers are over %d bytes.", LONGEST_HEAD)
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_REFUSAL)
        self.transport.close()
