"""Routes for the busiest reads, for which FastAPI's machinery would cost as much as MongoDB.

Each is declared with FastAPI as well, for its OpenAPI document.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app.http.dependencies import QueryOf, find_caller, needs, query_parameters


class FastGet(BaseRoute):
    """Answers GET of one fixed path, before other routes are tried."""

    def __init__(self, path: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self.path = path
        self.methods = {"GET"}
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"] == self.path and scope["method"] == "GET":
            return Match.FULL, {"route": self}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)


def fast_get(
    router: APIRouter, path: str, *, scope: str, query: type[BaseModel] | None = None, **documented: Any
) -> Callable[[Callable[..., Awaitable[Response]]], FastGet]:
    """Declare an endpoint that takes the request, the caller and, where there is a model of it, the query."""
    read = QueryOf(query).read if query is not None else None
    extra = query_parameters(query) if query is not None else None

    def declare(endpoint: Callable[..., Awaitable[Response]]) -> FastGet:
        async def answer(request: Request) -> Response:
            caller = await find_caller(request, scope)
            return await (endpoint(request, caller, read(request)) if read else endpoint(request, caller))

        router.add_api_route(
            path,
            answer,
            name=endpoint.__name__,
            description=inspect.getdoc(endpoint),
            dependencies=[needs(scope)],
            openapi_extra=extra,
            **documented,
        )
        return FastGet(router.prefix + path, answer)

    return declare
