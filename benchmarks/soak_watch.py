"""What the soak looks at: the processes of Roster, and what it holds in MongoDB and Redis."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient
from redis import Redis

from tests.support.live import find_children

_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
_THREADS = re.compile(r"^Threads:\s+(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one moment. Memory is bytes, by proportional shares (PSS): the server's processes, the worker's."""

    at_s: float
    server: int
    worker: int
    processes: int
    threads: int
    files: int
    """Open descriptors that are no connection to MongoDB or Redis, which are counted beside them."""
    tasks: int
    sessions: int
    cursors: int
    cursors_without_timeout: int
    cursors_pinned: int
    mongo_connections: int
    redis_connections: int
    lasting_keys: int
    """Keys of Redis that do not expire: what ended is marked for two hours, and goes by itself."""
    stored_files: int
    users: int


COUNTS = ("processes", "threads", "files", "tasks", "sessions", "lasting_keys", "stored_files", "users")
"""What may not grow while the load goes on, each with what comes and goes with it."""


class Watch:
    def __init__(
        self,
        mongo: MongoClient[dict[str, Any]],
        redis: "Redis",
        *,
        server: int,
        worker: int,
        metrics: list[str],
    ) -> None:
        """`server` and `worker` are process ids, `metrics` the addresses at which theirs are served."""
        self._mongo = mongo
        self._database = mongo.get_default_database()
        self._redis = redis
        self._server = server
        self._worker = worker
        self._metrics = metrics
        self._begun = time.perf_counter()

    def look(self) -> Sample:
        server = [self._server, *find_children(self._server)]
        family = [*server, self._worker, *find_children(self._worker)]
        status = self._mongo.admin.command("serverStatus", metrics=1, connections=1)
        cursors = status["metrics"]["cursor"]["open"]
        connections = int(status["connections"]["current"])
        clients = int(self._redis.info("clients")["connected_clients"])
        keyspace = self._redis.info("keyspace").get("db0", {})
        told = [httpx.get(address).raise_for_status().text for address in self._metrics]
        return Sample(
            at_s=time.perf_counter() - self._begun,
            server=sum(map(_memory, server)),
            worker=_memory(self._worker),
            processes=len(family),
            threads=sum(map(_threads, family)),
            files=sum(map(_descriptors, family)) - connections - clients,
            tasks=sum(int(_gauge(text, "roster_loop_tasks")) for text in told),
            sessions=int(_gauge(told[0], "roster_sessions")),
            cursors=int(cursors["total"]),
            cursors_without_timeout=int(cursors["noTimeout"]),
            cursors_pinned=int(cursors["pinned"]),
            mongo_connections=connections,
            redis_connections=clients,
            lasting_keys=int(keyspace.get("keys", 0)) - int(keyspace.get("expires", 0)),
            stored_files=self._count_files(),
            users=self._database["users"].estimated_document_count(),
        )

    def _count_files(self) -> int:
        names = self._database.list_collection_names(filter={"name": {"$regex": r"\.files$"}})
        return sum(self._database[name].estimated_document_count() for name in names)


def _gauge(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _memory(pid: int) -> int:
    return _read(pid, "smaps_rollup", _PSS) * 1024


def _threads(pid: int) -> int:
    return _read(pid, "status", _THREADS)


def _read(pid: int, file: str, wanted: re.Pattern[str]) -> int:
    """0 of a process that has ended meanwhile."""
    try:
        found = wanted.search(Path(f"/proc/{pid}/{file}").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return 0
