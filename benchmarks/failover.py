"""`make faults`: what a writer and a reader notice while the primary of three is lost, again and again.

python -m benchmarks.failover              ten times each, into benchmarks/RESULTS.md (25 minutes)
python -m benchmarks.failover --times 2    as often as that; RESULTS.md stays as it is

Both ask 50 times a second, whether they were answered or not. What was answered 201 must be there afterwards,
once. What was answered 503 is sent again, after what `Retry-After` says, until it is answered otherwise, and
must then be there once. Any other answer is a failure, as is a 503 that stays.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from pymongo import MongoClient

from benchmarks import results
from benchmarks.results import Finding
from tests.support.live import LiveServer
from tools import cluster
from tools.cluster import Happening, ReplicaSet

RATE = 50
TIMES = 10
_WARM_UP_S = 3.0
_LASTS_S: dict[Happening, float] = {"stepped down": 5, "killed": 5, "frozen": 30, "cut off": 30}
"""How long what happens lasts at least; it ends when the writer and the reader have got over it."""
_GETS_OVER_WITHIN_S = 60.0
_CALM_S = 2.0
_ANSWERED_WITHIN_S = 60.0
_SETTLED_WITHIN_S = 30.0
_PROMISED_GAP_S: dict[Happening, float] = {"stepped down": 3, "killed": 15}
_DONE = 201
_CONFLICT = 409
_UNAVAILABLE = 503


@dataclass(slots=True)
class Asker:
    """A client that asks at a fixed rate; `good` are the answers that it hopes for."""

    good: int
    answers: Counter[int | str] = field(default_factory=Counter)
    answered_well: list[float] = field(default_factory=list)
    longest_wait_s: float = 0.0
    refused_again: int = 0
    """How many 503 there were once all was well, to what had been answered 503 before."""

    def count(self, status: int | str, begun: float) -> None:
        now = time.perf_counter()
        self.answers[status] += 1
        self.longest_wait_s = max(self.longest_wait_s, now - begun)
        if status == self.good:
            self.answered_well.append(now)

    def gap_s(self, since: float) -> float:
        """The longest time without a good answer."""
        times = [since, *(moment for moment in self.answered_well if moment > since)]
        return max((later - sooner for sooner, later in itertools.pairwise(times)), default=float("inf"))

    def is_calm(self, since: float) -> bool:
        """Whether good answers have come as they should for a while."""
        recent = [moment for moment in self.answered_well if moment > since]
        return len(recent) > 0.8 * RATE * (time.perf_counter() - since)

    @property
    def failures(self) -> dict[int | str, int]:
        """All that is neither good nor 503."""
        return {status: n for status, n in self.answers.items() if status not in {self.good, _UNAVAILABLE}}


@dataclass(slots=True)
class Round:
    """What happened once."""

    writer: Asker
    reader: Asker
    begun: float
    lost: int = 0
    duplicates: int = 0


class Load:
    """The writer and the reader, and what they were told."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._asking: set[asyncio.Task[None]] = set()
        self._acknowledged: list[str] = []
        self.writer, self.reader = Asker(_DONE), Asker(200)
        self.stored: set[str] = set()
        """The addresses of which a 201 said that they are stored."""
        self.unknown: set[str] = set()
        """Those of which nobody knows."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All that was asked is answered at the end."""
        tickers = [asyncio.create_task(self._tick(ask)) for ask in (self._write, self._read)]
        try:
            yield
        finally:
            for ticker in tickers:
                ticker.cancel()
            await asyncio.gather(*tickers, return_exceptions=True)
            await asyncio.gather(*self._asking)

    async def settle(self) -> None:
        """Send again what was answered 503: done now, or found to be done."""
        for email in sorted(self.unknown):
            status = await self._send_again(email)
            if status in {_DONE, _CONFLICT}:
                self.stored.add(email)
            else:
                self.writer.answers[f"{status} when sent again"] += 1

    async def _send_again(self, email: str) -> int:
        give_up = time.perf_counter() + _SETTLED_WITHIN_S
        while True:
            reply = await self._client.post("/users", json=person(email))
            if reply.status_code != _UNAVAILABLE or time.perf_counter() > give_up:
                return reply.status_code
            self.writer.refused_again += 1
            await asyncio.sleep(int(reply.headers["Retry-After"]))

    async def _tick(self, ask: Any) -> None:
        begun = time.perf_counter()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            task = asyncio.create_task(ask())
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _write(self) -> None:
        email = f"{random.randbytes(8).hex()}@example.com"
        begun = time.perf_counter()
        status, reply = await _answer(self._client.post("/users", json=person(email)))
        self.writer.count(status, begun)
        if status == _DONE and reply is not None:
            self.stored.add(email)
            self._acknowledged.append(reply.json()["id"])
        else:
            self.unknown.add(email)

    async def _read(self) -> None:
        if not self._acknowledged:
            return
        begun = time.perf_counter()
        one = random.choice(self._acknowledged[-5 * RATE :])
        status, _ = await _answer(self._client.get(f"/users/{one}"))
        self.reader.count(status, begun)


def person(email: str) -> dict[str, str]:
    """The body of `POST /users`."""
    return {"name": "Ana", "email": email}


async def _answer(
    asked: Coroutine[Any, Any, httpx.Response],
) -> tuple[int | str, httpx.Response | None]:
    try:
        reply = await asked
    except httpx.HTTPError as error:
        return type(error).__name__, None
    return reply.status_code, reply


async def suffer(client: httpx.AsyncClient, mongo: ReplicaSet, what: Happening) -> Round:
    load = Load(client)
    async with load.running():
        await asyncio.sleep(_WARM_UP_S)
        happening = mongo.suffering(what)
        begun = time.perf_counter()
        await asyncio.to_thread(happening.__enter__)
        await asyncio.sleep(_LASTS_S[what])
        await _get_over(load)
        await asyncio.to_thread(happening.__exit__, None, None, None)
        await _get_over(load)
    await load.settle()
    lost, duplicates = await asyncio.to_thread(compare, mongo.uri, load.stored)
    return Round(load.writer, load.reader, begun, lost, duplicates)


async def _get_over(load: Load) -> None:
    give_up = time.perf_counter() + _GETS_OVER_WITHIN_S
    while time.perf_counter() < give_up:
        since = time.perf_counter()
        await asyncio.sleep(_CALM_S)
        if load.writer.is_calm(since) and load.reader.is_calm(since):
            return


def compare(uri: str, stored: set[str]) -> tuple[int, int]:
    """How many of those who were said to be stored are not; and how many users there are too many."""
    with MongoClient[dict[str, Any]](uri, readConcernLevel="majority") as client:
        users = client.get_default_database()["users"]
        found = Counter(user["email"] for user in users.find({}, {"email": 1}))
    return len(stored - found.keys()), sum(count - 1 for count in found.values())


async def measure(server: LiveServer, mongo: ReplicaSet, times: int) -> list[Finding]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=3)
    rounds: dict[Happening, list[Round]] = {what: [] for what in cluster.HAPPENINGS}
    async with httpx.AsyncClient(
        base_url=server.url, headers=server.headers, limits=limits, timeout=_ANSWERED_WITHIN_S
    ) as client:
        for number in range(1, times + 1):
            for what in cluster.HAPPENINGS:
                one = await suffer(client, mongo, what)
                rounds[what].append(one)
                print(f"{number}. {what}: {_describe(one)}", flush=True)
    return [finding for what in cluster.HAPPENINGS for finding in _find(what, rounds[what])]


def _describe(one: Round) -> str:
    return (
        f"no write for {one.writer.gap_s(one.begun):.1f} s, no read for {one.reader.gap_s(one.begun):.1f} s; "
        f"{dict(one.writer.answers)}, {dict(one.reader.answers)}; "
        f"longest wait {max(one.writer.longest_wait_s, one.reader.longest_wait_s):.1f} s; "
        f"{one.writer.refused_again} refused again; {one.lost} lost, {one.duplicates} twice"
    )


def _find(what: Happening, rounds: Sequence[Round]) -> list[Finding]:
    gaps = {
        "write": [one.writer.gap_s(one.begun) for one in rounds],
        "read": [one.reader.gap_s(one.begun) for one in rounds],
    }
    acknowledged = sum(one.writer.answers[_DONE] for one in rounds)
    unavailable = sum(one.writer.answers[_UNAVAILABLE] + one.reader.answers[_UNAVAILABLE] for one in rounds)
    lost, duplicates = sum(one.lost for one in rounds), sum(one.duplicates for one in rounds)
    failures = sum((Counter(one.writer.failures) + Counter(one.reader.failures) for one in rounds), Counter())
    again = sum(one.writer.refused_again for one in rounds)
    waited = max(max(one.writer.longest_wait_s, one.reader.longest_wait_s) for one in rounds)
    return [
        *(
            Finding(
                "failover",
                f"primary {what}, {len(rounds)} times: seconds without a {kind}, at worst",
                f"median {median(found):.1f} s",
                max(found),
                at_most=_PROMISED_GAP_S.get(what),
            )
            for kind, found in gaps.items()
        ),
        Finding(
            "failover",
            f"primary {what}: writes lost, writes done twice, answers that are neither good nor 503",
            f"{lost}, {duplicates}, {dict(failures) or 0}; {acknowledged:,} writes acknowledged, "
            f"{unavailable:,} answers 503, the longest after {waited:.1f} s, {again} to what was sent again",
            lost + duplicates + failures.total(),
            at_most=0,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover", description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help=f"how often each happens ({TIMES})")
    parser.add_argument("--keep", action="store_true", help="write RESULTS.md whatever --times is")
    asked = parser.parse_args()
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="roster-faults-") as folder,
        cluster.running(Path(folder)) as servers,
        LiveServer(
            Path(folder) / "app",
            mongo_uri=servers.mongo.uri,
            redis_url=servers.redis.url,
            access_token_ttl_s=3600,
            log_level="warning",
        ) as server,
    ):
        with MongoClient[dict[str, Any]](servers.mongo.uri) as client:
            mongod = str(client.server_info()["version"])
        findings = asyncio.run(measure(server, servers.mongo, asked.times))
        unforeseen = [*server.find("internal_error"), *server.find("mongodb_error")]
    keep = asked.keep or asked.times == TIMES
    results.conclude(findings, mongod=mongod, started=started, keep=keep, unforeseen=unforeseen)


if __name__ == "__main__":
    main()
