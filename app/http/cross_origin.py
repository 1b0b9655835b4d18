"""CORS: which pages of other origins may call the service from a browser.

Never with cookies: the service has none, and takes bearer tokens only.
"""

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

_ANY = "*"
_SENT = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, "
    b"Prefer, Range, X-Request-ID"
)
_READ = (
    b"Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, "
    b"Retry-After, Server-Timing, WWW-Authenticate, X-Request-ID"
)
_TAKEN: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", _SENT),
    (b"access-control-max-age", b"600"),
]
_SHOWN = (b"access-control-expose-headers", _READ)


class CrossOrigin:
    """Answers preflight requests of `origins` and lets their pages read replies.

    Requests of other origins go on as usual, and the browser keeps the reply from the page.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self._any = _ANY in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = self.find_headers(scope)
        if len(headers) > 1 and _is_preflight(scope):
            await send({"type": "http.response.start", "status": 204, "headers": headers + _TAKEN})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def find_headers(self, scope: Scope) -> Headers:
        """Of the reply; a cache must know that it depends on who asked, whoever asked."""
        if self._any:
            return [(b"access-control-allow-origin", b"*"), _SHOWN]
        vary = (b"vary", b"Origin")
        origin = next((value for name, value in scope["headers"] if name == b"origin"), b"")
        if origin not in self._origins:
            return [vary]
        return [(b"access-control-allow-origin", origin), _SHOWN, vary]


def _is_preflight(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )
