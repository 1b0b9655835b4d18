"""A page nine tenths down the directory against the first one, for several filters and orders."""

import json
import math
from http.client import HTTPConnection
from statistics import median
from urllib.parse import quote

from benchmarks.load import closed_loop
from benchmarks.plan import Sizes
from benchmarks.requests import Request
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Server, serving

QUERIES = ("", "is_active=true", "country=US", "sort=name", "sort=email", "sort=-last_login_at")
DEPTH = 0.9
AT_MOST = 1.2
_STEP = 1000


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    with serving("roster", backends.database(sizes.many)) as roster:
        return [_compare(roster, query, sizes) for query in QUERIES]


def _compare(server: Server, query: str, sizes: Sizes) -> Finding:
    what = f"`{query or 'created_at'}`: page at {{:,}} of {sizes.many:,} users, of the first's time"
    try:
        depth, cursor = _walk(server, query)
    except _RefusedError as refused:
        return Finding("depth", what.format(0), str(refused), math.inf, at_most=AT_MOST)
    page = f"/users?limit=100&{query}"
    first: list[float] = []
    deep: list[float] = []
    for _ in range(sizes.page_rounds):
        for path, times in ((page, first), (f"{page}&cursor={quote(cursor)}", deep)):
            times.append(_time(server, path))
    figures = f"{median(deep):.2f} ms to {median(first):.2f} ms{spread(deep, first)}"
    return Finding("depth", what.format(depth), figures, ratio(deep, first), at_most=AT_MOST)


def _time(server: Server, path: str) -> float:
    return closed_loop(server.port, path, token=server.token, connections=1, seconds=0.6, warm_up=0.1).p50


class _RefusedError(Exception):
    """The status and code of a page that did not come: a promise missed, not a bench that failed."""


def _walk(server: Server, query: str) -> tuple[int, str]:
    """The cursor at the depth, and how many users stand before it."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    cursors: list[str] = []
    cursor: str | None = None
    while True:
        path = f"/users?limit={_STEP}&fields=id&{query}"
        asked = Request(f"{path}&cursor={quote(cursor)}" if cursor else path, server.token)
        connection.request(asked.method, asked.path, headers=asked.headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise _RefusedError(f"{answer.status} {body.get('code')}")
        cursor = body["next"]
        if not cursor:
            break
        cursors.append(cursor)
    connection.close()
    pages = max(1, math.ceil(DEPTH * len(cursors)))
    return pages * _STEP, cursors[pages - 1]
