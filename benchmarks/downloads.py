"""Downloads that are timed and thrown away."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse

from benchmarks.requests import Request

_CHUNK = 1 << 18
_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Download:
    """Seconds from the request to the last byte, and what came."""

    seconds: float
    size: int
    lines: int


def download(port: int, path: str, *, token: str | None = None) -> Download:
    """An incomplete transfer raises."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    started = time.perf_counter()
    answer = _ask(connection, Request(path, token))
    size = lines = 0
    while chunk := answer.read1(_CHUNK):
        size += len(chunk)
        lines += chunk.count(b"\n")
    connection.close()
    return Download(time.perf_counter() - started, size, lines)


def first_byte(port: int, path: str, *, token: str | None = None) -> float:
    """Seconds to the first byte of the body; the rest is not taken."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    started = time.perf_counter()
    answer = _ask(connection, Request(path, token))
    assert answer.read1(1)
    seconds = time.perf_counter() - started
    answer.close()
    connection.close()
    return seconds


@contextmanager
def downloading(port: int, path: str, *, token: str | None = None) -> Iterator[None]:
    """One download at a time, the next when one ends, until the block does; the last is broken off."""
    stop = threading.Event()
    connections: list[HTTPConnection] = []

    def repeat() -> None:
        with suppress(OSError, HTTPException, AttributeError):  # what closing under a reader raises
            while not stop.is_set():
                connections.append(HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S))
                answer = _ask(connections[-1], Request(path, token))
                while not stop.is_set() and answer.read1(_CHUNK):
                    pass
        if not stop.is_set():
            raise RuntimeError(f"the download of {path} broke off")

    reader = threading.Thread(target=repeat, daemon=True)
    reader.start()
    try:
        yield
        assert reader.is_alive()
    finally:
        stop.set()
        reader.join(_TIMEOUT_S)
        for connection in connections:
            connection.close()


def _ask(connection: HTTPConnection, asked: Request) -> HTTPResponse:
    connection.request(asked.method, asked.path, headers=asked.headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{asked.path}: {answer.status} {answer.read(500)!r}")
    return answer
