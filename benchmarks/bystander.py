"""What a reader of single users feels while somebody exports everything."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPConnection
from itertools import cycle
from statistics import median

from benchmarks.downloads import downloading
from benchmarks.load import open_loop
from benchmarks.plan import Sizes
from benchmarks.requests import Request
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Server, serving

RATE = 50
AT_MOST = 8
_FORMS = ("csv", "xlsx", "ndjson")


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    idle: list[float] = []
    busy: dict[str, list[float]] = {form: [] for form in _FORMS}
    with serving("roster", backends.database(sizes.many)) as roster:
        paths = user_paths(roster)
        seconds = sizes.bystander_seconds
        for _ in range(sizes.rounds):
            idle.append(p99(roster, paths, seconds))
            for form in _FORMS:
                with downloading(roster.port, f"/users/export?format={form}", token=roster.token):
                    busy[form].append(p99(roster, paths, seconds))
    return [
        Finding(
            "bystander",
            f"p99 of `GET /users/{{id}}` at {RATE}/s during a {form.upper()} export, of its idle value",
            f"{median(busy[form]):.1f} ms to {median(idle):.1f} ms{spread(busy[form], idle)}",
            ratio(busy[form], idle),
            at_most=AT_MOST,
        )
        for form in _FORMS
    ]


def user_paths(server: Server) -> list[str]:
    asked = Request("/users?limit=500&fields=id", server.token)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(asked.method, asked.path, headers=asked.headers)
    items = json.loads(connection.getresponse().read())["items"]
    connection.close()
    return [f"/users/{item['id']}" for item in items]


def p99(server: Server, paths: list[str], seconds: float) -> float:
    """Milliseconds, of reading these users at RATE."""
    return open_loop(server.port, paths, rate=RATE, token=server.token, seconds=seconds).p99


def beside(
    server: Server,
    sizes: Sizes,
    busy: Callable[[], AbstractContextManager[None]],
    *,
    bench: str,
    when: str,
    at_most: float,
) -> Finding:
    """The p99 within `busy`, which loads the server around its block, of the idle one of the same round."""
    idle, loaded = list[float](), list[float]()
    paths = user_paths(server)
    for _ in range(sizes.rounds):
        idle.append(p99(server, paths, sizes.bystander_seconds))
        with busy():
            loaded.append(p99(server, paths, sizes.bystander_seconds))
    return Finding(
        bench,
        f"p99 of `GET /users/{{id}}` at {RATE}/s {when}, of its idle value",
        f"{median(loaded):.1f} ms to {median(idle):.1f} ms{spread(loaded, idle)}",
        ratio(loaded, idle),
        at_most=at_most,
    )


@contextmanager
def repeating(*works: Callable[[], object]) -> Iterator[None]:
    """Does these in turn, again and again, around the block."""
    stop = threading.Event()

    def repeat() -> None:
        for work in cycle(works):
            if stop.is_set():
                break
            work()

    repeater = threading.Thread(target=repeat)
    repeater.start()
    try:
        yield
    finally:
        stop.set()
        repeater.join()
