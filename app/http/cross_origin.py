"""CORS: which pages of other origins may call the service from a browser.

Never with cookies: those are for its own pages, and the API takes bearer tokens only.
"""

from collections.abc import Collection
from typing import get_args

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from models.mail import Purpose

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_SENT = (
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "If-Range",
    "Last-Event-ID", "Operation-Time", "Prefer", "Range", "X-Request-ID",
)  # fmt: skip
_READ = (
    "Content-Disposition", "Content-Range", "Data-Age", "ETag", "Idempotency-Replayed", "Link", "Location",
    "Operation-Time", "Preference-Applied", "Retry-After", "Server-Timing", "WWW-Authenticate",
    "X-Request-ID",
)  # fmt: skip
_VISITED = frozenset({
    "/auth/authorize", "/auth/browser-token", "/auth/consent", "/auth/continue", "/auth/email",
    "/auth/end-session", "/auth/forgotten", "/auth/logo", "/auth/password", "/auth/sign-in",
    "/auth/sign-out", "/auth/sign-up", "/auth/results", "/auth/results/file", "/auth/verify",
    *(f"/auth/mail/{purpose}" for purpose in get_args(Purpose)),
})  # fmt: skip
"""Where browsers go themselves: nothing there is for scripts of other origins (OAuth 2.1, section 3.1)."""


class CrossOrigin(CORSMiddleware):
    """Starlette's CORS, but other origins are answered as if they had not asked."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=_METHODS, allow_headers=_SENT, expose_headers=_READ
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in _VISITED:
            await self.app(scope, receive, send)
        elif scope["type"] != "http" or self.is_allowed_origin(Headers(scope=scope).get("origin", "")):
            await super().__call__(scope, receive, send)
        else:
            await self.simple_response(scope, receive, send, request_headers=Headers())


def find_headers(origins: Collection[str], scope: Scope) -> list[tuple[bytes, bytes]]:
    """What lets a page of the request's origin read a reply that is written without the layer."""
    origin = Headers(scope=scope).get("origin", "")
    if "*" in origins:
        allowed = b"*"
    elif origin in origins:
        allowed = origin.encode("latin-1")
    else:
        return [(b"vary", b"Origin")]
    shown = (b"access-control-expose-headers", ", ".join(_READ).encode())
    return [(b"access-control-allow-origin", allowed), shown, (b"vary", b"Origin")]
