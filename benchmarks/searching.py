"""Asking for people over HTTP, one question after another on one connection, each timed."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from urllib.parse import urlencode

from benchmarks.requests import Request
from benchmarks.search_queries import Query, number
from benchmarks.servers import Server

PAGE = 10
_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Answer:
    """Milliseconds to the last byte, and the numbers of the people on the page, the best first."""

    status: int
    took: float
    people: tuple[int, ...]


class Searcher:
    """`path` answers `q`, `limit` and filters with users, as a list or as the items of a page."""

    def __init__(self, connection: HTTPConnection, token: str | None, path: str) -> None:
        self._connection = connection
        self._token = token
        self._path = path

    def ask(self, query: Query) -> Answer:
        asked = urlencode([("q", query.q), *query.filters, ("limit", PAGE)])
        request = Request(f"{self._path}?{asked}", self._token)
        try:
            return self._ask(request)
        except RemoteDisconnected:  # it rested past the server's keep-alive: asked, and timed, again
            self._connection.close()
            return self._ask(request)

    def _ask(self, request: Request) -> Answer:
        started = time.perf_counter()
        self._connection.request(request.method, request.path, headers=request.headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - started) * 1000
        return Answer(answer.status, took, _people(body) if answer.status == 200 else ())


def _people(body: bytes) -> tuple[int, ...]:
    page = json.loads(body)
    items = page if isinstance(page, list) else page["items"]
    return tuple(number(item["email"]) for item in items)


def p95(times: Sequence[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


@contextmanager
def searcher(server: Server, path: str = "/users") -> Iterator[Searcher]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_S)
    try:
        yield Searcher(connection, server.token, path)
    finally:
        connection.close()
