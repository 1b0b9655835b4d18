"""The servers under test: one real mongod and redis-server, and an HTTP process of each kind on them."""

import contextlib
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pymongo import MongoClient

from app.commands import embedded
from benchmarks import peer_environment, tokens

Kind = Literal["roster", "tutorial", "floor", "floor_auth", "floor_sign_in", "peer"]

_LIVE: dict[Kind, str] = {"roster": "/health/live", "peer": "/live"}
"""What is answered without a token; elsewhere it is a page."""
_CACHE = "2G"
_START_S = 60.0
_STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Database:
    """A filled database of the benchmark's own mongod, and its number of users."""

    mongo_uri: str
    redis_url: str
    users: int

    def environment(self) -> dict[str, str]:
        own = {
            "ROSTER_MONGO_URI": self.mongo_uri,
            "ROSTER_REDIS_URL": self.redis_url,
            "ROSTER_ADMIN_EMAIL": tokens.ADMIN_EMAIL,
            "ROSTER_ADMIN_PASSWORD": tokens.PASSWORD,
            "ROSTER_ACCESS_TOKEN_TTL_S": "3600",  # so that no bench outlives the administrator's
            "ROSTER_TRIES_PER_ADDRESS": "1000000",  # a crowd signs in from this one
            "MONGO_URI": self.mongo_uri,
            "REDIS_URL": self.redis_url,
        }
        return os.environ | own | {"ROSTER_LOG_LEVEL": "warning", "ROSTER_LOG_FORMAT": "json"}


class Backends:
    """One mongod and one redis-server in a folder that goes with them; a database for each size asked for."""

    def __init__(self, servers: embedded.EmbeddedServers) -> None:
        assert servers.mongo_uri
        assert servers.redis_url
        self._mongo_uri = servers.mongo_uri
        self._redis_url = servers.redis_url
        self._filled: dict[str, Database] = {}
        with MongoClient[dict[str, Any]](self._mongo_uri) as client:
            client.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": f"cache_size={_CACHE}"})
            self.mongod_version = str(client.server_info()["version"])

    def database(self, users: int, *, name: str = "users") -> Database:
        """Filled once a run, by a process for each core; the same people as `python -m app sample` adds.

        What is to be changed has a name of its own.
        """
        path = f"/{name}_{users}"
        if path not in self._filled:
            uri = urlunsplit(urlsplit(self._mongo_uri)._replace(path=path))
            database = Database(uri, self._redis_url, users)
            started = time.perf_counter()
            fill(database)
            print(f"  filled {users:,} users in {time.perf_counter() - started:.0f} s", flush=True)
            self._filled[path] = database
        return self._filled[path]

    def drop(self, users: int, *, name: str = "users") -> None:
        """Give its disk back."""
        database = self._filled.pop(f"/{name}_{users}")
        with MongoClient[dict[str, Any]](database.mongo_uri) as client:
            client.drop_database(client.get_default_database())


def fill(database: Database) -> None:
    """Rows first, indexes after: one sorted build costs half of as many insertions."""
    environment = database.environment() | {"ROSTER_MONGO_TIMEOUT_MS": "600000"}
    prepare = [sys.executable, "-m", "app", "indexes", "apply"]
    subprocess.run(prepare, env=environment, stdout=DEVNULL, check=True)  # now there is nothing to migrate
    with MongoClient[dict[str, Any]](database.mongo_uri) as client:
        client.get_default_database()["users"].drop_indexes()
    shares = os.cpu_count() or 1
    bounds = [database.users * share // shares for share in range(shares + 1)]
    fillers = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.filling", str(start), str(end)], env=environment)
        for start, end in itertools.pairwise(bounds)
    ]
    if any([filler.wait() for filler in fillers]):  # noqa: C419  # all must have ended, whatever the first did
        raise RuntimeError("the database could not be filled")
    subprocess.run(prepare, env=environment, stdout=DEVNULL, check=True)


def searchable(database: Database) -> Database:
    """Filling wrote what search needs with each user; this counts words, and mends what is missing."""
    environment = database.environment() | {"ROSTER_MONGO_TIMEOUT_MS": "600000"}
    reindex = [sys.executable, "-m", "app", "search", "reindex"]
    subprocess.run(reindex, env=environment, stdout=DEVNULL, check=True)
    return database


@contextlib.contextmanager
def backends() -> Iterator[Backends]:
    with (
        tempfile.TemporaryDirectory(prefix="roster-bench-", ignore_cleanup_errors=True) as folder,
        embedded.running(Path(folder), mongo=True, redis=True) as servers,
    ):
        yield Backends(servers)


@dataclass(frozen=True, slots=True)
class Server:
    """A running HTTP server under test; of ours, the administrator's access token."""

    port: int
    process: subprocess.Popen[bytes]
    token: str | None = None

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def cpu_seconds_of_all(self) -> float:
        """With its workers, where it has several."""
        return sum(map(cpu_seconds, (self.process.pid, *self._find_workers())))

    def _find_workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return list(map(int, children.split()))

    def resident_bytes(self) -> int:
        return self._status("VmRSS")

    def peak_bytes(self) -> int:
        """The most since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        assert found
        return int(found[1]) * 1024


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]  # utime and stime of proc(5), which counts from 1 and from the pid
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(
    kind: Kind, database: Database, *, jobs_inside: bool = True, workers: int = 1
) -> Iterator[Server]:
    """The server, once it answers; ours with its administrator signed in."""
    port = _free_port()
    environment = database.environment() | {"ROSTER_JOBS_INSIDE": str(jobs_inside).lower()}
    command = _command(kind, port) + (["--workers", str(workers)] if workers > 1 else [])
    with _running(command, environment) as process:
        server = Server(port, process)
        _wait_until_it_serves(server, _LIVE.get(kind, "/users?limit=10"))
        if kind == "roster":
            server = replace(server, token=tokens.sign_in(port, tokens.ADMIN_EMAIL).access)
        yield server


@contextlib.contextmanager
def working(database: Database) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own. It finds the first job as soon as it has started."""
    with _running([sys.executable, "-m", "app", "worker"], database.environment()) as process:
        yield process


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, stdout=DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(kind: Kind, port: int) -> list[str]:
    if kind == "roster":
        return [sys.executable, "-m", "app", "serve", "--host", "127.0.0.1", "--port", str(port)]
    python = peer_environment.python() if kind == "peer" else sys.executable
    return [
        *(python, "-m", "uvicorn", f"benchmarks.{kind}:app", "--host", "127.0.0.1", "--port", str(port)),
        *("--no-access-log", "--log-level", "warning"),
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_serves(server: Server, path: str) -> None:
    give_up = time.monotonic() + _START_S
    while time.monotonic() < give_up:
        if server.process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{' '.join(map(str, server.process.args))} does not serve")  # type: ignore[arg-type]  # a list here
