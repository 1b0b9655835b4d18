"""Files made to do harm: how soon each is refused, in how much memory, and what a reader feels meanwhile."""

import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection

from benchmarks import memory
from benchmarks.bystander import beside, repeating
from benchmarks.plan import Sizes
from benchmarks.requests import Request
from benchmarks.results import Finding
from benchmarks.servers import Backends, Server, serving, working
from tests.unit.spreadsheets import hostile

MOST_SECONDS = 5
MOST_MIB = 200
AT_MOST = 2

_TIMEOUT_S = 60
_FILES: dict[str, Callable[[], bytes]] = {
    "zip bomb": hostile.bomb,
    "zip bomb whose directory lies": hostile.lying_bomb,
    "XML entities": hostile.entities,
    "macros": hostile.macros,
    "encrypted": hostile.encrypted,
    "a million empty rows": hostile.empty_rows,
    "a cell of 100 MiB": hostile.long_cell,
    "a cell at XFD1048576": hostile.far_cell,
    "another archive": hostile.other_archive,
    "no archive": lambda: b"\x89PNG\r\n\x1a\n\0\0" * 100,
}


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    directory = backends.database(sizes.users)
    files = {name: make() for name, make in _FILES.items()}
    with serving("roster", directory, jobs_inside=False) as server, working(directory) as worker:
        pids = (server.process.pid, worker.pid)
        idle = [memory.wait_until_idle(pid) for pid in pids]
        with memory.watching(pids[0]) as served, memory.watching(pids[1]) as worked:
            took = {name: _refuse(server, file) for name, file in files.items()}
        above = max(served) + max(worked) - sum(idle)
        return [_soon(took), _small(idle, above), _beside(server, list(files.values()), sizes)]


def _soon(took: dict[str, tuple[int, float]]) -> Finding:
    told = "; ".join(f"{name} {status} {seconds:.2f} s" for name, (status, seconds) in took.items())
    slowest = max(seconds for _, seconds in took.values())
    return Finding(
        "bad files",
        "seconds until a file made to harm is refused, at worst",
        told,
        slowest,
        at_most=MOST_SECONDS,
    )


def _small(idle: list[int], above: int) -> Finding:
    figures = f"{sum(idle) / 2**20:.0f} MiB idle, {(sum(idle) + above) / 2**20:.0f} MiB at most"
    what = "the same: MiB of server, worker and reading process above idle"
    return Finding("bad files", what, figures, above / 2**20, at_most=MOST_MIB)


def _beside(server: Server, files: list[bytes], sizes: Sizes) -> Finding:
    busy = partial(repeating, *[partial(_refuse, server, file) for file in files])
    when = "while they come one after the other"
    return beside(server, sizes, busy, bench="bad files", when=when, at_most=AT_MOST)


def _refuse(server: Server, file: bytes) -> tuple[int, float]:
    """The status, and the seconds from the first byte sent to the last of the answer."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_S)
    headers = Request("", server.token).headers | {"Content-Type": "application/octet-stream"}
    started = time.perf_counter()
    connection.request("POST", "/users/import", file, headers | {"Prefer": "wait=30"})
    answer = connection.getresponse()
    content = answer.read()
    seconds = time.perf_counter() - started
    connection.close()
    if not 400 <= answer.status < 500:
        raise RuntimeError(f"{answer.status} {content[:500]!r}")
    return answer.status, seconds
