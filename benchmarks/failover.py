"""`make faults`: what a writer and a reader notice while the primary of three is lost, again and again.

python -m benchmarks.failover              ten times each, into benchmarks/RESULTS.md (20 minutes)
python -m benchmarks.failover --times 2    as often as that; RESULTS.md stays as it is

Both ask 50 times a second, whether they were answered or not. What was answered 201 must be there afterwards,
once. What was answered 503 is sent again, after what `Retry-After` says, until it is answered otherwise, and
must then be there once. Any other answer is a failure, as is a 503 that stays.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from pymongo import MongoClient

from benchmarks import redis_lost, results
from benchmarks.failover_load import DONE, UNAVAILABLE, Asker, Load
from benchmarks.results import Finding
from tests.support.live import LiveServer
from tools import cluster
from tools.cluster import Cluster, Happening, ReplicaSet

TIMES = 10
_WARM_UP_S = 3.0
_LASTS_S: dict[Happening, float] = {"stepped down": 5, "killed": 5, "frozen": 15, "cut off": 15}
"""How long what happens lasts at least; it ends when the writer and the reader have got over it."""
_GETS_OVER_WITHIN_S = 60.0
_CALM_S = 2.0
_ANSWERED_WITHIN_S = 60.0
_PROMISED_GAP_S: dict[Happening, float] = {"stepped down": 3, "killed": 5, "frozen": 8, "cut off": 8}
"""Without a write."""
_PROMISED_READ_GAP_S = 1.5


@dataclass(slots=True)
class Round:
    """What happened once."""

    writer: Asker
    reader: Asker
    begun: float
    ages_s: list[int]
    lost: int = 0
    duplicates: int = 0


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
    return Round(load.writer, load.reader, begun, load.ages_s, lost, duplicates)


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


async def measure(
    server: LiveServer, servers: Cluster, times: int, chosen: Sequence[Happening]
) -> list[Finding]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=3)
    rounds: dict[Happening, list[Round]] = {what: [] for what in chosen}
    async with httpx.AsyncClient(
        base_url=server.url, headers=server.headers, limits=limits, timeout=_ANSWERED_WITHIN_S
    ) as client:
        for number in range(1, times + 1):
            for what in chosen:
                one = await suffer(client, servers.mongo, what)
                rounds[what].append(one)
                print(f"{number}. {what}: {_describe(one)}", flush=True)
    found = [finding for what in chosen for finding in _find(what, rounds[what])]
    return [*found, await redis_lost.measure(server, servers.redis, times)]


def _describe(one: Round) -> str:
    return (
        f"no write for {one.writer.gap_s(one.begun):.1f} s, no read for {one.reader.gap_s(one.begun):.1f} s; "
        f"{dict(one.writer.answers)}, {dict(one.reader.answers)}; "
        f"longest wait {max(one.writer.longest_wait_s, one.reader.longest_wait_s):.1f} s; "
        f"{len(one.ages_s)} reads by secondaries, at most {max(one.ages_s, default=0)} s old; "
        f"{one.writer.refused_again} refused again; {one.lost} lost, {one.duplicates} twice"
    )


def _find(what: Happening, rounds: Sequence[Round]) -> list[Finding]:
    gaps = (
        ("write", [one.writer.gap_s(one.begun) for one in rounds], _PROMISED_GAP_S[what]),
        ("read", [one.reader.gap_s(one.begun) for one in rounds], _PROMISED_READ_GAP_S),
    )
    ages_s = [age for one in rounds for age in one.ages_s]
    acknowledged = sum(one.writer.answers[DONE] for one in rounds)
    unavailable = sum(one.writer.answers[UNAVAILABLE] + one.reader.answers[UNAVAILABLE] for one in rounds)
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
                at_most=promised,
            )
            for kind, found, promised in gaps
        ),
        Finding(
            "failover",
            f"primary {what}: writes lost, writes done twice, answers that are neither good nor 503",
            f"{lost}, {duplicates}, {dict(failures) or 0}; {acknowledged:,} writes acknowledged, "
            f"{unavailable:,} answers 503, the longest after {waited:.1f} s, {again} to what was sent again; "
            f"{len(ages_s):,} reads by secondaries, told to be at most {max(ages_s, default=0)} s old",
            lost + duplicates + failures.total(),
            at_most=0,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover", description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help=f"how often each happens ({TIMES})")
    parser.add_argument("--what", nargs="+", choices=cluster.HAPPENINGS, default=cluster.HAPPENINGS)
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
            tries_per_address=1_000_000,
            **redis_lost.ADMIN,
        ) as server,
    ):
        with MongoClient[dict[str, Any]](servers.mongo.uri) as client:
            mongod = str(client.server_info()["version"])
        findings = asyncio.run(measure(server, servers, asked.times, asked.what))
        unforeseen = [*server.find("internal_error"), *server.find("mongodb_error")]
    keep = asked.keep or asked.times == TIMES
    results.conclude(findings, mongod=mongod, started=started, keep=keep, unforeseen=unforeseen)


if __name__ == "__main__":
    main()
