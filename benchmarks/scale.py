"""`make scale`: ten million users on one machine, and how much slower each thing is than among fewer.

python -m benchmarks.scale                        into benchmarks/RESULTS.md
python -m benchmarks.scale --users 4000000        as many as that
python -m benchmarks.scale --users 200000 --base 100000    to try it; RESULTS.md stays as it is

It says first how long it will take and what disk it needs, and does nothing where the disk has too little.
The directories are filled one after the other, and each is dropped before the next.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from json import loads
from math import log10
from statistics import median
from typing import Any
from urllib.parse import quote, urlencode

from pymongo import MongoClient

from benchmarks import checking, floor, memory, results
from benchmarks.downloads import download
from benchmarks.load import closed_loop
from benchmarks.requests import Request
from benchmarks.results import Finding
from benchmarks.search_queries import Query, generate
from benchmarks.searching import searcher
from benchmarks.servers import Backends, Database, Server, backends, serving

USERS, BASE = 10_000_000, 1_000_000
FEWEST = 4_000_000
"""With fewer it is a trial."""
ASKED_ABOUT = 100_000
"""The people whom searches look for: the same in each directory."""
KEPT_BYTES = 2_600
"""Of a user on disk, with indexes; measured with 60,000."""
SORTED_BYTES = 2_000
"""Of a user on disk, while indexes are built: a guess."""
SPARE_BYTES = 3 * 2**30
"""Of oplog, journal and logs."""
SECONDS_A_USER = 0.0006
"""On two cores, of which making a user takes half a millisecond of one: an estimate."""
AT_MOST = {"first page": 1.3, "last page": 1.3, "token check": 1.3, "search": 1.6}
_EACH = 12
"""Searches of each kind."""
_ROUNDS = 7
_TEN_MILLION = 7
_EXPORTS = {
    "CSV of 6 columns": f"format=csv&columns={','.join(floor.SIX)}",
    "NDJSON": "format=ndjson",
}


@dataclass(slots=True)
class Measured:
    """A directory: milliseconds of each thing, and what is only told."""

    users: int
    took: dict[str, float] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)


def measure(servers: Backends, users: int, queries: Sequence[Query]) -> Measured:
    started = time.perf_counter()
    database = servers.database(users, name="scale")
    found = Measured(users, told={"filled and indexed": f"in {time.perf_counter() - started:,.0f} s"})
    with serving("roster", database, jobs_inside=False) as roster:
        found.took = _took(roster, database, queries)
        for form, asked in _EXPORTS.items():
            got = download(roster.port, f"/users/export?{asked}", token=roster.token)
            found.told[form] = f"{users / got.seconds:,.0f} rows a second, {got.size / 2**20:,.0f} MiB"
        found.told["memory"] = f"Roster {memory.held_bytes(roster.process.pid) / 2**20:,.0f} MiB"
    found.told |= _kept(database)
    return found


def _took(roster: Server, database: Database, queries: Sequence[Query]) -> dict[str, float]:
    token = roster.token
    assert token is not None
    pages = {"first page": "/users?limit=100", "last page": _find_last_page(roster, database)}
    times: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(_ROUNDS):
        for name, path in pages.items():
            load = closed_loop(roster.port, path, token=token, connections=1, seconds=1, warm_up=0.2)
            times[name].append(load.p50)
    with searcher(roster) as ours:
        for query in queries[::10]:
            ours.ask(query)
        times["search"] = [ours.ask(query).took for query in queries]
    checks = [checking.measure(roster, database, token, seconds=1).takes / 1000 for _ in range(3)]
    return {name: median(each) for name, each in times.items()} | {"token check": median(checks)}


def _find_last_page(roster: Server, database: Database) -> str:
    """The path of the page of 100 that ends the default order, by the cursor of the page before."""
    with MongoClient[dict[str, Any]](database.mongo_uri) as client:
        last = client.get_default_database()["users"].find({}, {"created_at": 1})
        before = last.sort([("created_at", -1), ("_id", -1)]).skip(100).limit(1)[0]
    start = f"{before['created_at'].isoformat(timespec='milliseconds')}Z,{before['_id']}"
    request = Request(f"/users?{urlencode({'limit': 1, 'start': start})}", roster.token)
    connection = HTTPConnection("127.0.0.1", roster.port, timeout=60)
    connection.request(request.method, request.path, headers=request.headers)
    page = loads(connection.getresponse().read())
    connection.close()
    assert page["items"][0]["id"] == str(before["_id"])
    return f"/users?limit=100&cursor={quote(page['next'])}"


def _kept(database: Database) -> dict[str, str]:
    """What is on disk, and what mongod holds in memory."""
    with MongoClient[dict[str, Any]](database.mongo_uri) as client:
        stored = client.get_default_database()
        stats = next(stored["users"].aggregate([{"$collStats": {"storageStats": {}}}]))["storageStats"]
        whole = stored.command("dbStats")
        resident = client.admin.command("serverStatus")["mem"]["resident"]
    indexes = sorted(stats["indexSizes"].items(), key=lambda size: -size[1])
    each = ", ".join(f"{name} {size / database.users:,.0f}" for name, size in indexes[:6])
    on_disk = whole["storageSize"] + whole["indexSize"]
    return {
        "on disk": f"{on_disk / 2**30:.1f} GiB, {on_disk / database.users:,.0f} B a user",
        "indexes of users": f"{stats['totalIndexSize'] / 2**30:.1f} GiB ({each}, … B a user)",
        "mongod": f"{resident:,} MiB resident",
    }


def find(few: Measured, many: Measured) -> list[Finding]:
    """What is promised of each thing, and the law: what a decade more of users costs."""
    decades = log10(many.users) - log10(few.users)
    return [*(_compare(name, few, many, decades) for name in AT_MOST), *_tell(few), *_tell(many)]


def _compare(name: str, few: Measured, many: Measured, decades: float) -> Finding:
    ratio = many.took[name] / few.took[name]
    law = ratio ** (1 / decades)
    at_ten_million = many.took[name] * law ** (_TEN_MILLION - log10(many.users))
    figures = f"{few.took[name]:.3f} ms to {many.took[name]:.3f} ms; {law:.2f} times for ten times the users"
    if many.users < USERS:
        figures += f", so {at_ten_million:.3f} ms for ten million"
    what = f"{name}: median over {many.users:,} users, of that over {few.users:,}"
    return Finding("scale", what, figures, ratio, at_most=AT_MOST[name])


def _tell(measured: Measured) -> list[Finding]:
    return [
        Finding("scale", f"{measured.users:,} users: {name}", told) for name, told in measured.told.items()
    ]


def plan(users: int, base: int, free_bytes: int) -> str:
    """How long it will take and what it needs. SystemExit where the disk has less."""
    needed = users * (KEPT_BYTES + SORTED_BYTES) + base * KEPT_BYTES + SPARE_BYTES
    minutes = (users + base) * SECONDS_A_USER / 60
    told = f"{users:,} users need {needed / 2**30:.0f} GiB of disk, and {minutes:.0f} minutes on two cores"
    if needed > free_bytes:
        fits = max(0, free_bytes - SPARE_BYTES - base * KEPT_BYTES) // (KEPT_BYTES + SORTED_BYTES)
        raise SystemExit(
            f"{told}; {free_bytes / 2**30:.0f} GiB are free, for {fits:,}: set --users or TMPDIR."
        )
    return told


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--users", type=int, default=USERS, help=f"how many ({USERS:,})")
    parser.add_argument("--base", type=int, default=BASE, help=f"how many to compare them with ({BASE:,})")
    asked = parser.parse_args()
    print(plan(asked.users, asked.base, shutil.disk_usage(tempfile.gettempdir()).free), flush=True)
    started = time.perf_counter()
    few_of_each = generate(min(ASKED_ABOUT, asked.base), each=_EACH)
    queries = [query for of_kind in few_of_each.values() for query in of_kind]
    with backends() as servers:
        few, many = map(partial(_measure_and_drop, servers, queries=queries), (asked.base, asked.users))
    keep = asked.users >= FEWEST and asked.base == BASE
    results.conclude(find(few, many), mongod=servers.mongod_version, started=started, keep=keep)


def _measure_and_drop(servers: Backends, users: int, *, queries: Sequence[Query]) -> Measured:
    found = measure(servers, users, queries)
    print(f"{users:,}: {found.took}", flush=True)
    servers.drop(users, name="scale")
    return found


if __name__ == "__main__":
    main()
