"""`make restarts`: what clients notice while workers are replaced, and while one of two is killed.

python -m benchmarks.restarts              two workers, five restarts, into benchmarks/RESULTS.md (2 minutes)
python -m benchmarks.restarts --times 1    as often as that; RESULTS.md stays as it is

No request may fail at a restart. Of a worker that is killed one may for each connection that it held.
"""

import argparse
import asyncio
import os
import re
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from random import randbytes
from statistics import median

import httpx
from pymongo import MongoClient

from app.commands.embedded import ports
from benchmarks import results
from benchmarks.clients import CONNECTIONS, asking, reading
from benchmarks.failover import compare
from benchmarks.failover_load import person
from benchmarks.results import Finding
from tests.support.exports import store_many
from tests.support.live import PATIENCE_S, LiveServer, has_ended, wait_until
from tests.support.proxies import find_clients
from tests.support.servers import MongoServer, RedisServer

USERS = 10_000
WORKERS = 2
TIMES = 5
_TIMES_WRITTEN = 2
_PAGE = "/users?limit=10"
_LINES = "/users/export?format=ndjson"
_AFTERWARDS_S = 5.0
_TRIES = 1000
_RECEIVE_BUFFER = 64 * 1024
"""Bytes: so small that a download has not ended when it has just begun."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A server of two workers, and where it keeps and counts."""

    server: LiveServer
    metrics_port: int
    database: str

    def find_clients(self, worker: int) -> set[int]:
        """The ports of those whom it has accepted."""
        return find_clients(worker, self.server.address[1])

    def count_pages(self) -> Counter[str]:
        """Pages answered since the start by all workers, those that have ended too, by status."""
        told = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        found: Counter[str] = Counter()
        for labels, count in re.findall(r"^roster_requests_total\{(.*)\} (.*)$", told, re.MULTILINE):
            said = dict(re.findall(r'(\w+)="(.*?)"', labels))
            if (said["method"], said["route"]) == ("GET", "/users"):
                found[said["status"]] += int(float(count))
        return found

    def count_users(self) -> int:
        with MongoClient[dict[str, object]](self.database) as client:
            return client.get_default_database()["users"].count_documents({})

    async def wait_until_all_serve(self, *, but: int | None = None) -> None:
        """A worker serves once it takes connections; `but` is one that was told to end."""
        held: list[socket.socket] = []

        def do() -> bool:
            held.append(socket.create_connection(self.server.address))
            workers = self.server.find_workers() - {but}
            return len(workers) == WORKERS and all(map(self.find_clients, workers))

        await _until(do)
        for connection in held:
            connection.close()

    async def restart(self) -> float:
        """Seconds until all workers are others."""
        before = self.server.find_workers()
        begun = time.perf_counter()
        self.server.process.send_signal(signal.SIGHUP)
        await _until(lambda: all(map(has_ended, before)))
        return time.perf_counter() - begun


async def _until(holds: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, holds)


async def restart_under_reads(pair: Pair, times: int) -> list[Finding]:
    before = pair.count_pages()
    async with reading(pair.server, _PAGE) as read:
        took = [await pair.restart() for _ in range(times)]
    counted = pair.count_pages()
    counted.subtract(before)
    return [
        Finding(
            "restarts",
            f"{times} restarts under reads on {CONNECTIONS} connections: failed requests",
            f"{read}; median {median(took):.1f} s a restart",
            read.failures.total(),
            at_most=0,
        ),
        Finding(
            "restarts",
            "the same: by how many the metrics, of replaced workers too, differ: those under way at the end",
            f"by status: {dict(counted)}",
            abs(counted.total() - read.answered),
            at_most=CONNECTIONS,
        ),
    ]


async def restart_under_writes(pair: Pair, times: int) -> list[Finding]:
    stored: set[str] = set()

    async def write(client: httpx.AsyncClient) -> httpx.Response:
        email = f"{randbytes(8).hex()}@example.com"
        reply = await client.post("/users", json=person(email))
        if reply.is_success:
            stored.add(email)
        return reply

    before = pair.count_users()
    async with asking(pair.server, write) as written:
        for _ in range(times):
            await pair.restart()
    lost, _ = await asyncio.to_thread(compare, pair.database, stored)
    more = pair.count_users() - before - len(stored)
    return [
        Finding(
            "restarts",
            f"{times} restarts under writes on {CONNECTIONS} connections: failed, users lost, users too many",
            f"{written}; {lost} lost, {more} too many",
            written.failures.total() + lost + more,
            at_most=0,
        )
    ]


async def kill_under_reads(pair: Pair) -> list[Finding]:
    """One of the two, while the other is in the midst of a download."""
    rows = pair.count_users()
    async with reading(pair.server, _PAGE) as read:
        await _until(lambda: sum(map(len, map(pair.find_clients, pair.server.find_workers()))) >= CONNECTIONS)
        other, victim = sorted(pair.server.find_workers(), key=lambda one: len(pair.find_clients(one)))
        with closing(_connect(pair, other)) as client:
            client.request("GET", _LINES, headers=pair.server.headers)
            download = client.getresponse()
            held = _kill(pair, victim)
            await pair.wait_until_all_serve(but=victim)
            came = await asyncio.to_thread(_count_lines, download)
    async with reading(pair.server, _PAGE) as later:
        await asyncio.sleep(_AFTERWARDS_S)
    return [
        Finding(
            "restarts",
            "one of two workers killed: failed requests, of the connections that it held",
            f"{held} connections; {read}",
            read.failures.total() / held,
            at_most=1,
        ),
        Finding(
            "restarts",
            "the same: users missing from a download that the other was in the midst of",
            f"{came:,} of {rows:,}",
            rows - came,
            at_most=0,
        ),
        Finding(
            "restarts",
            "the same: failed requests once another has taken its place",
            f"{later}",
            later.failures.total(),
            at_most=0,
        ),
    ]


def _connect(pair: Pair, worker: int) -> HTTPConnection:
    """As often as it takes: the kernel decides which worker gets a connection."""
    for _ in range(_TRIES):
        client = HTTPConnection(*pair.server.address, timeout=PATIENCE_S)
        client.sock = socket.socket()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        client.sock.connect(pair.server.address)
        client.request("GET", "/health/live")
        client.getresponse().read()
        if client.sock.getsockname()[1] in pair.find_clients(worker):
            return client
        client.close()
    raise RuntimeError("the worker takes no connection")


def _kill(pair: Pair, worker: int) -> int:
    """How many connections it held. It is frozen first, so that it takes no more while they are counted."""
    os.kill(worker, signal.SIGSTOP)
    held = len(pair.find_clients(worker))
    os.kill(worker, signal.SIGKILL)
    return held


def _count_lines(download: HTTPResponse) -> int:
    """Those that came, whether or not the download is whole."""
    lines = 0
    try:
        while line := download.readline():
            lines += line.endswith(b"\n")
    except (HTTPException, OSError):
        pass
    return lines


async def measure(pair: Pair, times: int) -> list[Finding]:
    await pair.wait_until_all_serve()
    found = await restart_under_reads(pair, times)
    found += await kill_under_reads(pair)
    return found + await restart_under_writes(pair, min(times, _TIMES_WRITTEN))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restarts", description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help=f"restarts under reads ({TIMES})")
    asked = parser.parse_args()
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="roster-restarts-") as folder,
        MongoServer(Path(folder)) as mongo,
        RedisServer(Path(folder)) as redis,
    ):
        store_many(mongo.uri, USERS)
        with MongoClient[dict[str, object]](mongo.uri) as client:
            mongod = str(client.server_info()["version"])
        port = ports.choose()
        with LiveServer(
            Path(folder) / "app",
            *("--workers", str(WORKERS)),
            mongo_uri=mongo.uri,
            redis_url=redis.url,
            access_token_ttl_s=3600,
            log_level="warning",
            metrics_port=port,
        ) as server:
            findings = asyncio.run(measure(Pair(server, port, mongo.uri), asked.times))
            unforeseen = [line for line in server.log if line["level"] in {"error", "critical"}]
    keep = asked.times == TIMES
    results.conclude(findings, mongod=mongod, started=started, keep=keep, unforeseen=unforeseen)


if __name__ == "__main__":
    main()
