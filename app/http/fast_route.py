"""A route for the busiest reads, for which FastAPI's machinery would cost as much as MongoDB.

The operation is declared with FastAPI as well, for its OpenAPI document; both call the same endpoint, which
takes nothing but the request.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class FastGet(BaseRoute):
    """Answers GET of one fixed path, before other routes are tried."""

    def __init__(self, path: str, endpoint: Endpoint) -> None:
        self.path = path
        self.methods = {"GET"}
        self._endpoint = endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"] == self.path and scope["method"] == "GET":
            return Match.FULL, {"route": self}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
