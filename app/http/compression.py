"""Compresses replies for clients that accept gzip, streams chunk by chunk.

Only replies to GET, and none under `/auth`: the length of a compressed reply that has a secret beside the
caller's text would reveal it (BREACH), and every token is in the reply to a POST.
"""

import asyncio
import re
import zlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

_SHORT = 1_000
"""A reply with fewer bytes fits one packet anyway."""
_LONG = 32_768
"""A reply with more bytes is compressed in a thread, so that nothing else waits for it."""
_LEVEL = 1
"""Shrinks pages to a fifth, at twice the speed of zlib's default, which reaches a sixth."""
_GZIP = 31
"""zlib's window of 32 KiB in gzip's frame."""
_TEXT = re.compile(rb"(application/(problem\+)?json|application/x-ndjson|text/(?!event-stream))")
_AS_IT_IS = frozenset({b"content-encoding", b"content-range", b"accept-ranges", b"etag"})
"""Headers of replies that stay as they are: encoded already, or with an ETag, which If-Match must repeat."""
_ACCEPTED = re.compile(rb"(?:^|,)\s*gzip\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?(?:,|$)", re.IGNORECASE)


class Compression:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["path"].startswith("/auth"):
            send = _Compressor(send, wanted=accepts_gzip(scope)).send
        await self.app(scope, receive, send)


class _Compressor:
    """Compresses one reply; holds its start back until the first bytes tell whether it streams."""

    __slots__ = ("_compressor", "_held", "_send", "_wanted")

    def __init__(self, send: Send, *, wanted: bool) -> None:
        self._send = send
        self._wanted = wanted
        self._held: Message | None = None
        self._compressor: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._held is not None:
            held, self._held = self._held, None
            await self._decide(held, message)
        elif self._compressor is not None:
            await self._send(await self._squeeze(message))
        else:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        headers: Headers = list(start.get("headers", ()))
        if start["status"] in {204, 304} or not _is_compressible(headers):
            await self._send(start)
            return
        start = {**start, "headers": [*headers, (b"vary", b"Accept-Encoding")]}
        if self._wanted:
            self._held = start
        else:
            await self._send(start)

    async def _decide(self, start: Message, first: Message) -> None:
        streams = first.get("more_body", False)
        if not streams and len(first.get("body", b"")) < _SHORT:
            await self._send(start)
            await self._send(first)
            return
        self._compressor = zlib.compressobj(_LEVEL, wbits=_GZIP)
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        headers.append((b"content-encoding", b"gzip"))
        squeezed = await self._squeeze(first)
        if not streams:
            headers.append((b"content-length", b"%d" % len(squeezed["body"])))
        await self._send({**start, "headers": headers})
        await self._send(squeezed)

    async def _squeeze(self, message: Message) -> Message:
        body: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if more and not body:
            return message
        work = asyncio.to_thread(self._work, body, more=more) if len(body) > _LONG else None
        return {**message, "body": await work if work else self._work(body, more=more)}

    def _work(self, body: bytes, *, more: bool) -> bytes:
        """Compress, and flush each chunk, so that readers of a stream get all that was written."""
        compressor = self._compressor or zlib.compressobj(_LEVEL, wbits=_GZIP)
        return compressor.compress(body) + compressor.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)


def _is_compressible(headers: Headers) -> bool:
    found = dict(headers)
    return found.keys().isdisjoint(_AS_IT_IS) and _TEXT.match(found.get(b"content-type", b"")) is not None


def accepts_gzip(scope: Scope) -> bool:
    """Whether Accept-Encoding allows gzip; a quality of 0 refuses it (RFC 9110, section 12.4.2)."""
    asked = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
    found = _ACCEPTED.search(asked)
    return found is not None and (found[1] is None or float(found[1]) > 0)
