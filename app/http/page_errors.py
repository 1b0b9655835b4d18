"""Errors as pages for browsers, where no route of a page told of it: 405, 413, 503 and their like."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from html import escape

from fastapi import FastAPI, Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.catalogue import LANGUAGES
from app.core.errors import OverloadedError
from app.http import languages, pages, problems
from app.http.middleware import APART, Headers, safe_headers
from app.http.pages import PageRoute
from app.http.route_paths import find_all
from app.pages import Pages, Problem, Shown
from app.pages.views import Error
from models.problem import MEDIA_TYPE

Browsed = AbstractSet[tuple[str, str]]
"""Methods and paths."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_IS_PROBLEM = (b"content-type", MEDIA_TYPE.encode())
_OF_CONTENT = frozenset({b"content-type", b"content-length"})
_NUMBER, _HERE = "number-of-the-request", "address-of-the-request"
"""What stands for them in a page that is rendered once."""


def find_browsed(routes: Sequence[BaseRoute]) -> Browsed:
    """Each method at the path of a page, but for those that programs call there."""
    for_people = find_all(routes, PageRoute)
    everything = {(method, path) for _, path in for_people for method in _METHODS}
    return everything - (find_all(routes) - for_people)


class PageErrors:
    """Puts a page in the place of a problem; programs, which ask for anything or JSON, get the problem."""

    def __init__(self, app: ASGIApp, *, browsed: Browsed) -> None:
        self.app = app
        self._browsed = browsed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _waits_for_page(scope, self._browsed):
            languages.choose(LANGUAGES[0])  # of a problem its page shows developers the detail, in English
            send = _Explained(scope, send).send
        await self.app(scope, receive, send)


class _Explained:
    """The reply to one request; a problem comes in one piece, after which a body may be read to its end."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Message | None = None
        """Of a problem, until its body comes."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _IS_PROBLEM in message["headers"]:
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            page = pages.explain(Request(self._scope), problems.read(message["body"]))
            kept = [(name, value) for name, value in start["headers"] if name not in _OF_CONTENT]
            await self._send({**start, "headers": [*page.raw_headers, *kept]})
            message = {**message, "body": page.body}
        await self._send(message)


class OverloadPage:
    """The page of a refusal, rendered once in each language: the refusal would cost more than it spares."""

    def __init__(self, app: FastAPI, browsed: Browsed) -> None:
        self._app = app
        self._browsed = browsed
        templates: Pages = app.state.pages
        view = Error(number=_NUMBER, again=_HERE, detail=None)
        problem = Problem(f"error.{OverloadedError.code}")
        self._made = {each: templates.render(view, Shown(each), problem) for each in LANGUAGES}
        self._policy = pages.policy(templates, leaves=False).encode()

    def find_headers(self, *, tls: bool) -> Headers:
        """The headers of all our replies, as of one below /auth."""
        common = [header for header in safe_headers(tls=tls) if header != APART]
        return [(b"content-security-policy", self._policy), *common]

    def make(self, scope: Scope, request_id: str) -> bytes | None:
        """For a browser that asked for a page; None for others."""
        if not _waits_for_page(scope, self._browsed):
            return None
        request = Request({**scope, "app": self._app})
        page = self._made[pages.find_own_language(request)]
        return page.replace(_NUMBER, request_id).replace(_HERE, escape(pages.here(request))).encode()


def _waits_for_page(scope: Scope, browsed: Browsed) -> bool:
    if (scope["method"], scope["path"]) not in browsed:
        return False
    return any(name == b"accept" and b"text/html" in value.lower() for name, value in scope["headers"])
