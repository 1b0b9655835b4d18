"""The paths that are served: which methods each takes, and `oid`, the convertor of an id in one.

How FastAPI keeps included routes is not public: pyproject.toml holds it to the tested release.
"""

from collections.abc import Iterator, Sequence

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute


class _ObjectId(Convertor[str]):
    """24 hexadecimal digits, so that `/users/{user_id:oid}` fits neither `/users/me` nor `/users/export`."""

    regex = "[0-9a-fA-F]{24}(?!\n)"  # a newline at the end would pass the `$` of the path's pattern

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("oid", _ObjectId())


def find_methods(routes: Sequence[BaseRoute], path: str) -> set[str]:
    """The methods of all routes at the path."""
    return {
        method
        for route in iter_route_contexts(routes)
        if (pattern := getattr(route, "path_regex", None)) is not None and pattern.match(path)
        for method in _methods(route)
    }


def find_all(routes: Sequence[BaseRoute], kind: type[BaseRoute] = BaseRoute) -> set[tuple[str, str]]:
    """Each method and path template that is served by a route of this kind."""
    return {
        (method, template)
        for route in iter_route_contexts(routes)
        if isinstance(route.original_route, kind) and (template := find_template(route)) is not None
        for method in _methods(route)
    }


def find_template(route: object) -> str | None:
    """The path with the names of its parameters, such as `/users/{user_id}`."""
    template: str | None = getattr(route, "path_format", None) or getattr(route, "path", None)
    return template


def _methods(route: RouteContext) -> Iterator[str]:
    yield from getattr(route, "methods", None) or ()
