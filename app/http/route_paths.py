"""Which methods a fixed path takes, where the pattern of another route fits it too."""

from collections.abc import Sequence

from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

_NOT_ALLOWED = 405


def find_methods(routes: Sequence[BaseRoute], path: str) -> set[str]:
    """Those of all routes at the path; of routes with a pattern only where no route has it as it is."""
    found = [route for route in iter_route_contexts(routes) if _fits(route, path)]
    fixed = [route for route in found if getattr(route, "path", None) == path]
    return {method for route in fixed or found for method in getattr(route, "methods", None) or ()}


def find_all(routes: Sequence[BaseRoute]) -> set[tuple[str, str]]:
    """Each method and path template that is served."""
    return {
        (method, path)
        for route in iter_route_contexts(routes)
        if (path := getattr(route, "path", None)) is not None
        for method in getattr(route, "methods", None) or ()
    }


def _fits(route: object, path: str) -> bool:
    pattern = getattr(route, "path_regex", None)
    return pattern is not None and pattern.match(path) is not None


class FixedPaths(BaseRoute):
    """Refuses what a fixed path does not take, before any other route is tried.

    Otherwise `PUT /users/export` would be told what is wrong with its body, as a change of the user `export`.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """`routes` are those of the whole service."""
        paths = {getattr(route, "path", "{") for route in iter_route_contexts(routes)}
        self._methods = {path: find_methods(routes, path) for path in paths if "{" not in path}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http":
            methods = self._methods.get(get_route_path(scope))
            if methods is not None and scope["method"] not in methods:
                return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        raise HTTPException(_NOT_ALLOWED)
