"""`make soak`: mixed load for a quarter of an hour, and whether anything grows that should not.

python -m benchmarks.soak                 fifteen minutes, into benchmarks/RESULTS.md
python -m benchmarks.soak --minutes 3     as long as that; RESULTS.md stays as it is

A server of two processes and a worker, over ten thousand people. The load is bounded, and deletes what it
makes, so what grows leaks. Before it begins all comes at once, so that memory has been as high as a crowded
moment takes it. It goes up and down with each job: its peak after a third of the time is compared with that
at the end. Then the load stops, and cursors, tasks and open files have to be again what they were before.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from pymongo import MongoClient
from redis import Redis
from rich.console import Console
from rich.table import Table

from app.commands.embedded import ports
from benchmarks import accounts, results
from benchmarks.results import Finding
from benchmarks.servers import Database
from benchmarks.soak_load import Mixed
from benchmarks.soak_watch import COUNTS, Sample, Watch
from tests.support.live import LiveServer, LiveWorker
from tests.support.servers import MongoServer, RedisServer

MINUTES = 15.0
PEOPLE = 10_000
AT_MOST = 1.05
_SIGNING_IN = 40
_WARM_UP_S = 30.0
_LOOK_EVERY_S = 5.0
_SETTLE_S = 90.0
"""How long what the load held may take to go: connections that are kept alive, gauges that are behind."""
_SLACK = 1.1
"""Of counts that come and go with the load: their medians may differ by so much, and by `_FEW`."""
_FEW = 5


async def measure(watch: Watch, load: Mixed, minutes: float) -> list[Finding]:
    await load.burst()
    async with load.running():
        await asyncio.sleep(_WARM_UP_S)
    before = await _settle(watch)
    samples = list[Sample]()
    end = time.perf_counter() + minutes * 60
    async with load.running():
        while time.perf_counter() < end:
            await asyncio.sleep(_LOOK_EVERY_S)
            samples.append(await asyncio.to_thread(watch.look))
            if len(samples) % round(60 / _LOOK_EVERY_S) == 1:
                print(f"minute {len(samples) * _LOOK_EVERY_S / 60:.0f}: {_describe(samples[-1])}", flush=True)
    after = await _settle(watch, than=before)
    _show([before, *samples[:: max(1, len(samples) // 15)], after])
    return [*_find_growth(samples), *_find_leftovers(before, after), _find_wrong(load)]


async def _settle(watch: Watch, than: Sample | None = None) -> Sample:
    """When nothing is asked any more: once it is no worse `than` before, or will not be."""
    give_up = time.perf_counter() + (_SETTLE_S if than else 10)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        found = await asyncio.to_thread(watch.look)
        is_calm = than is not None and found.tasks <= than.tasks and found.files <= than.files
        if time.perf_counter() > give_up or (is_calm and not found.cursors):
            return found


def _describe(sample: Sample) -> str:
    return f"server {_mib(sample.server)}, worker {_mib(sample.worker)}, " + ", ".join(
        f"{name.replace('_', ' ')} {getattr(sample, name)}"
        for name in ("tasks", "files", "cursors", "sessions")
    )


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _thirds(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Those around a third of the time, and the last ones."""
    width = max(2, len(samples) // 15)
    third = len(samples) // 3
    return samples[third - width : third + width], samples[-2 * width :]


def _find_growth(samples: Sequence[Sample]) -> list[Finding]:
    early, late = _thirds(samples)
    minutes = f"minute {early[-1].at_s / 60:.0f}", f"minute {late[-1].at_s / 60:.0f}"

    def grew(name: str, of: Callable[[Iterable[int]], float]) -> tuple[float, float]:
        return of(getattr(one, name) for one in early), of(getattr(one, name) for one in late)

    found = []
    for name in ("server", "worker"):
        sooner, later = grew(name, max)
        figures = f"at most {_mib(int(sooner))} about {minutes[0]}, {_mib(int(later))} about {minutes[1]}"
        what = f"mixed load: memory of the {name}, at the end of that after a third of the time"
        found.append(Finding("soak", what, figures, later / sooner, at_most=AT_MOST))
    for name in (*COUNTS, "cursors", "mongo_connections", "redis_connections"):
        sooner, later = grew(name, median)
        what = f"mixed load: {name.replace('_', ' ')}, above a tenth more than after a third of the time"
        beyond = max(0.0, later - (_SLACK * sooner + _FEW))
        found.append(Finding("soak", what, f"{sooner:.0f} to {later:.0f}", beyond, at_most=0))
    return found


def _find_leftovers(before: Sample, after: Sample) -> list[Finding]:
    cursors = after.cursors + after.cursors_pinned + after.cursors_without_timeout
    found = [Finding("soak", "cursors open after the load", str(cursors), cursors, at_most=0)]
    for name in ("tasks", "files", "processes", "stored_files", "users", "lasting_keys"):
        sooner, later = getattr(before, name), getattr(after, name)
        what = f"{name.replace('_', ' ')} after the load, more than before it"
        found.append(Finding("soak", what, f"{sooner} to {later}", max(0, later - sooner), at_most=0))
    return found


def _find_wrong(load: Mixed) -> Finding:
    figures = (
        f"{dict(load.wrong) or 0} of {load.answers.total():,} answers: {dict(sorted(load.answers.items()))}"
    )
    return Finding("soak", "answers that the request did not deserve", figures, load.wrong.total(), at_most=0)


def _show(samples: Sequence[Sample]) -> None:
    names = [field.name for field in fields(Sample)]
    table = Table(*(name.replace("_", " ") for name in names))
    for sample in samples:
        values = [getattr(sample, name) for name in names]
        table.add_row(
            f"{values[0]:.0f}", *(f"{size / 2**20:.1f}" for size in values[1:3]), *map(str, values[3:])
        )
    Console(width=200).print(table)


def _fill(database: Database) -> tuple[list[str], list[str]]:
    """E-mails of those who can sign in, ids of some people."""
    environment = database.environment()
    sample = [sys.executable, "-m", "app", "sample", str(PEOPLE)]
    subprocess.run(sample, env=environment, stdout=subprocess.DEVNULL, check=True)
    people = accounts.prepare(database, _SIGNING_IN)
    with MongoClient[dict[str, Any]](database.mongo_uri) as client:
        users = client.get_default_database()["users"]
        return people, [str(user["_id"]) for user in users.find({}, {"_id": 1}).limit(1000)]


async def _soak(server: LiveServer, watch: Watch, metrics: str, filled: Any, minutes: float) -> list[Finding]:
    async with httpx.AsyncClient(
        base_url=server.url,
        headers=server.headers,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=2),
        timeout=60,
    ) as client:
        return await measure(watch, Mixed(client, metrics, *filled), minutes)


def _run(folder: Path, minutes: float) -> tuple[list[Finding], str, list[Any]]:
    """The findings, the version of mongod, and the lines of the log that nobody foresaw."""
    with MongoServer(folder) as mongod, RedisServer(folder) as redis_server:
        database = Database(mongod.uri, redis_server.url, PEOPLE)
        filled = _fill(database)
        addresses = [ports.choose(), ports.choose()]
        settings: dict[str, Any] = {
            "mongo_uri": mongod.uri,
            "redis_url": redis_server.url,
            "access_token_ttl_s": 3600,
            "tries_per_address": 1_000_000,
            "log_level": "warning",
            "jobs_inside": "false",
        }
        metrics = [f"http://127.0.0.1:{port}/metrics" for port in addresses]
        with (
            LiveServer(folder / "server", "--workers", "2", metrics_port=addresses[0], **settings) as server,
            LiveWorker(folder / "worker", metrics_port=addresses[1], **settings) as worker,
            MongoClient[dict[str, Any]](mongod.uri) as mongo,
            Redis.from_url(redis_server.url, decode_responses=True) as redis,
        ):
            watch = Watch(mongo, redis, server=server.pid, worker=worker.pid, metrics=metrics)
            findings = asyncio.run(_soak(server, watch, metrics[0], filled, minutes))
            version = str(mongo.server_info()["version"])
            return findings, version, [*server.find("internal_error"), *worker.find("internal_error")]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"how long ({MINUTES:g})")
    parser.add_argument("--keep", action="store_true", help="write RESULTS.md whatever --minutes is")
    asked = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="roster-soak-") as folder:
        findings, version, unforeseen = _run(Path(folder), asked.minutes)
    keep = asked.keep or asked.minutes == MINUTES
    results.conclude(findings, mongod=version, started=started, keep=keep, unforeseen=unforeseen)


if __name__ == "__main__":
    main()
