"""`make events`: ten thousand changes while worker, server, primary and receiver are killed by turns.

python -m benchmarks.events                          forty kills, into benchmarks/RESULTS.md (some minutes)
python -m benchmarks.events --changes 500 --kills 4  as many as that; RESULTS.md stays as it is

Eight writers create, change and delete users of their own. In the end the receiver of a webhook must have
each event that the trail says there is, no other, those of each user in order; and what it makes of them must
be the directory.
"""

import argparse
import asyncio
import itertools
import random
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from pymongo import MongoClient

from app.events.causes import MAKERS
from benchmarks import results
from benchmarks.events_receiver import Receiver, Told
from benchmarks.results import Finding
from tests.support.live import LiveProcess, LiveServer, LiveWorker
from tools import cluster
from tools.cluster import ReplicaSet

CHANGES, KILLS, WRITERS = 10_000, 40, 8
_APART_S = 1.0
_DOWN_S = 0.5
_LATEST_S = 400.0
"""A delivery that failed three times waits for five minutes."""
_TYPES = ["user.created", "user.changed", "user.deleted"]


@dataclass(slots=True)
class Progress:
    changes: int
    kills: int
    changed: int = 0
    killed: int = 0
    given_up: int = 0
    """Requests without an answer, or answered 503."""

    @property
    def is_over(self) -> bool:
        return self.changed >= self.changes and self.killed >= self.kills


class Writer:
    """Creates, changes and deletes users; what was not answered may be done or not."""

    def __init__(self, number: int, http: httpx.AsyncClient, progress: Progress) -> None:
        self._names = (f"writer{number}-{count}" for count in itertools.count())
        self._http = http
        self._progress = progress
        self._users: list[str] = []

    async def run(self) -> None:
        while not self._progress.is_over:
            try:
                await self._change()
            except httpx.HTTPError:
                self._progress.given_up += 1
                await asyncio.sleep(0.1)

    async def _change(self) -> None:
        choice = random.random()
        if len(self._users) < 10 or choice < 0.05:
            name = next(self._names)
            reply = await self._http.post("/users", json={"name": name, "email": f"{name}@bench.example.com"})
            if reply.is_success:
                self._users.append(reply.json()["id"])
        elif choice < 0.08:
            reply = await self._http.delete(f"/users/{self._users.pop()}")
        else:
            path = f"/users/{random.choice(self._users)}"
            reply = await self._http.patch(path, json={"profile": {"title": f"title {random.random()}"}})
        reply.raise_for_status()
        self._progress.changed += 1


class Directory:
    """A server, a worker and a receiver on a set of three, each of which can be killed."""

    def __init__(self, folder: Path, running: cluster.Cluster, told: Told) -> None:
        self._folder = folder
        self.mongo: ReplicaSet = running.mongo
        self.port, receiving = _free_port(), _free_port()
        self._settings: dict[str, Any] = {
            "mongo_uri": running.mongo.uri,
            "redis_url": running.redis.url,
            "webhook_networks": "127.0.0.0/8",
            "access_token_ttl_s": 3_600,
            "log_level": "warning",
            "issuer": f"http://127.0.0.1:{self.port}",
        }
        self.receiver = Receiver(told, receiving)
        self.server = self._serve()
        self.worker = self._work()

    def __enter__(self) -> Self:
        self.server.__enter__()
        self.worker.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop(signal.SIGKILL)
        self.server.stop(signal.SIGKILL)

    async def kill(self, what: str) -> None:
        """Kill it, and have it back."""
        match what:
            case "worker":
                self.worker = await asyncio.to_thread(self._replace, self.worker, self._work)
            case "server":
                self.server = await asyncio.to_thread(self._replace, self.server, self._serve)
            case "primary":
                happening = self.mongo.suffering("killed")
                await asyncio.to_thread(happening.__enter__)
                await asyncio.sleep(_DOWN_S)
                await asyncio.to_thread(happening.__exit__, None, None, None)
            case _:
                await self.receiver.stop()
                await asyncio.sleep(_DOWN_S)
                await self.receiver.start()

    def _replace(self, old: Any, make: Any) -> Any:
        process: LiveProcess = old
        process.stop(signal.SIGKILL)
        return make().__enter__()

    def _serve(self) -> LiveServer:
        more = {"port": self.port, "jobs_inside": False}
        return LiveServer(self._folder / "server", **self._settings | more)

    def _work(self) -> LiveWorker:
        return LiveWorker(self._folder / "worker", **self._settings)


async def run(directory: Directory, told: Told, progress: Progress) -> float:
    """Seconds from the last change until the last event."""
    await directory.receiver.start()
    headers = directory.server.headers
    async with httpx.AsyncClient(base_url=directory.server.url, headers=headers, timeout=20) as http:
        asked = {"url": directory.receiver.url, "types": _TYPES}
        told.secret = (await http.post("/webhooks", json=asked)).raise_for_status().json()["secret"]
        writers = [Writer(number, http, progress).run() for number in range(WRITERS)]
        await asyncio.gather(*writers, _kill(directory, progress))
    since = time.perf_counter()
    wanted = await asyncio.to_thread(find_events, directory.mongo.uri)
    while not wanted <= told.events.keys() and time.perf_counter() - since < _LATEST_S:
        await told.wait(0.5)
    took_s = time.perf_counter() - since
    await directory.receiver.stop()
    return took_s


async def _kill(directory: Directory, progress: Progress) -> None:
    for what in itertools.cycle(("worker", "receiver", "server", "primary")):
        if progress.is_over:
            return
        await asyncio.sleep(_APART_S)
        await directory.kill(what)
        progress.killed += 1
        print(f"  {progress.killed} kills, {progress.changed} changes", flush=True)


def find_events(uri: str) -> set[str]:
    """The ids of the events that the trail says there are."""
    return {made["event"] for made in _read_trail(uri) if made["type"] in _TYPES}


def _read_trail(uri: str) -> Iterator[dict[str, Any]]:
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        for entry in client.get_default_database()["audit"].find():
            if (made := MAKERS["audit"](entry, entry["at"])) is not None:
                yield made


def judge(uri: str, told: Told, progress: Progress, took_s: float) -> list[Finding]:
    wanted = find_events(uri)
    with MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        users = {str(row["_id"]): row["version"] for row in database["users"].find({}, {"version": 1})}
        places = [row["_id"] for row in database["events"].find({}, {"_id": 1}).sort("_id", 1)]
    made = {user: version for user, version in users.items() if user in told.order}
    replayed = told.replay()
    differing = sum(replayed.get(user) != made.get(user) for user in {*replayed, *made})
    what = f"{progress.changed:,} changes by {WRITERS} writers, {progress.killed} kills"
    rows = (
        (f"{what}: events that did not arrive", len(wanted - told.events.keys())),
        ("the same: events that nobody caused", len(told.events.keys() - wanted)),
        ("the same: events out of a user's order", told.out_of_order),
        ("the same: places that are missing or given twice", len(places) - len({*places}) + _gaps(places)),
        ("the same: users who differ from what the receiver made of its events", differing),
    )
    extra = f"{told.posts - len(told.events)} came twice, the last {took_s:.1f} s after the last change"
    return [
        Finding("events", text, f"{count} of {len(wanted):,}; {extra}", count, at_most=0)
        for text, count in rows
    ]


def _gaps(places: list[int]) -> int:
    return sum(later - earlier - 1 for earlier, later in itertools.pairwise(places) if later > earlier)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=__doc__)
    parser.add_argument("--changes", type=int, default=CHANGES)
    parser.add_argument("--kills", type=int, default=KILLS)
    asked = parser.parse_args()
    started, told = time.perf_counter(), Told()
    progress = Progress(asked.changes, asked.kills)
    with (
        tempfile.TemporaryDirectory(prefix="roster-events-", ignore_cleanup_errors=True) as folder,
        cluster.running(Path(folder)) as running,
    ):
        with MongoClient[dict[str, Any]](running.mongo.uri) as client:
            mongod = str(client.server_info()["version"])
        with Directory(Path(folder), running, told) as directory:
            took_s = asyncio.run(run(directory, told, progress))
            findings = judge(running.mongo.uri, told, progress, took_s)
    keep = (asked.changes, asked.kills) == (CHANGES, KILLS)
    results.conclude(findings, mongod=mongod, started=started, keep=keep)


if __name__ == "__main__":
    main()
