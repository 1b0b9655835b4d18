"""What telling others costs: a change while a worker relays, and a healthy webhook while fifty others hang.

python -m benchmarks.telling    into benchmarks/RESULTS.md (two minutes); the second half of `make events`
"""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import orjson
from aiohttp import web
from pymongo import MongoClient

from benchmarks import results
from benchmarks.results import Finding
from tests.support.api import serving
from tests.support.live import LiveServer, LiveWorker
from tests.support.receivers import Received, Receiver, receiving
from tests.support.servers import MongoServer, RedisServer

HANGING, CHANGES, BURST = 50, 200, 2_000
ROUNDS, PATCHES = 8, 300
_MOST = 1.1
_SETTLES_S = 2.0
_P99_S = 2.0
_APART_S = 0.02


async def run(folder: Path) -> tuple[str, list[Finding]]:
    """The version of mongod, and what was found within one process that serves, relays and delivers."""
    with MongoServer(folder) as mongo, RedisServer(folder) as redis:
        settings: dict[str, Any] = {
            "jobs_inside": True,
            "webhook_networks": "127.0.0.0/8",
            "log_level": "warning",
        }
        async with serving(mongo.uri, redis.url, **settings) as client, receiving() as stuck:
            stuck.hangs.clear()
            arrived: dict[str, float] = {}

            def note(got: Received) -> web.Response:
                arrived[orjson.loads(got.body)["data"]["user"]] = time.perf_counter()
                return web.Response(status=204)

            async with receiving(note) as healthy:
                for receiver in (*[stuck] * HANGING, healthy):
                    await _register(client, receiver)
                delays = await _change(client, arrived)
                rate = await _burst(client, arrived)
            stuck.hangs.set()
        with MongoClient[dict[str, Any]](mongo.uri) as admin:
            mongod = str(admin.server_info()["version"])
    p99_s = quantiles(delays, n=100)[-1]
    what = f"{CHANGES} changes while {HANGING} receivers hang: seconds until a healthy one has each, p99"
    return mongod, [
        Finding("telling", what, f"p50 {median(delays):.3f} s, p99 {p99_s:.3f} s", p99_s, at_most=_P99_S),
        Finding("telling", f"the same process: deliveries of {BURST:,} at once", f"{rate:.0f} a second"),
    ]


async def _register(client: httpx.AsyncClient, receiver: Receiver) -> None:
    asked = {"url": receiver.url, "types": ["user.created"]}
    (await client.post("/webhooks", json=asked)).raise_for_status()


async def _change(client: httpx.AsyncClient, arrived: dict[str, float]) -> list[float]:
    made: dict[str, float] = {}
    for number in range(CHANGES):
        body = {"name": f"person {number}", "email": f"hanging{number}@bench.example.com"}
        user = (await client.post("/users", json=body)).raise_for_status().json()["id"]
        made[user] = time.perf_counter()
        await asyncio.sleep(_APART_S)
    await _wait(arrived, CHANGES)
    return [arrived[user] - at for user, at in made.items()]


async def _burst(client: httpx.AsyncClient, arrived: dict[str, float]) -> float:
    names = [f"burst{number}" for number in range(BURST)]
    creates = [{"op": "create", "user": {"name": n, "email": f"{n}@bench.example.com"}} for n in names]
    for start in range(0, BURST, 1_000):
        operations = {"operations": creates[start : start + 1_000]}
        (await client.post("/users:batch", json=operations)).raise_for_status()
    begun, before = time.perf_counter(), len(arrived)
    await _wait(arrived, CHANGES + BURST)
    return (CHANGES + BURST - before) / (time.perf_counter() - begun)


async def _wait(arrived: dict[str, float], count: int) -> None:
    async with asyncio.timeout(120):
        while len(arrived) < count:  # noqa: ASYNC110 - what is measured must not wake its own measuring
            await asyncio.sleep(0.01)


def find_cost(folder: Path) -> Finding:
    """Of changes in turn, beside a worker that relays them and one that does not."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with MongoServer(folder) as mongo, RedisServer(folder) as redis:
        settings: dict[str, Any] = {"mongo_uri": mongo.uri, "redis_url": redis.url, "log_level": "warning"}
        with LiveServer(folder / "server", jobs_inside=False, **settings) as server, server.client() as http:
            body = {"name": "Ana", "email": "ana@bench.example.com"}
            path = f"/users/{http.post('/users', json=body).raise_for_status().json()['id']}"
            _patch(http, path)
            for is_told in (False, True) * ROUNDS:
                program = ("-m", "app" if is_told else "benchmarks.without_events")
                with LiveWorker(folder / "worker", program=program, **settings):
                    time.sleep(_SETTLES_S)  # what a worker does at its start is not what is measured
                    times[is_told].append(_patch(http, path))
    alone, relayed = median(times[False]), median(times[True])
    what = "a change beside a worker that relays it, against one that does not"
    figures = f"{relayed * 1000:.2f} and {alone * 1000:.2f} ms"
    return Finding("telling", what, figures, relayed / alone, at_most=_MOST)


def _patch(http: httpx.Client, path: str) -> float:
    """Seconds that the median change took."""
    took = []
    for number in range(PATCHES):
        begun = time.perf_counter()
        http.patch(path, json={"profile": {"title": f"title {number}"}}).raise_for_status()
        took.append(time.perf_counter() - begun)
    return median(took)


def main() -> None:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="roster-telling-", ignore_cleanup_errors=True) as folder:
        parts = [Path(folder) / name for name in ("told", "cost")]
        for part in parts:
            part.mkdir()
        mongod, findings = asyncio.run(run(parts[0]))
        results.conclude([*findings, find_cost(parts[1])], mongod=mongod, started=started, keep=True)


if __name__ == "__main__":
    main()
