"""Bulk changes: users a second of plan and apply together, and what a reader feels meanwhile."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from statistics import median
from typing import Any

from pymongo import MongoClient, UpdateOne
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from benchmarks import memory
from benchmarks.bystander import RATE, p99, user_paths
from benchmarks.imports import ask, wait
from benchmarks.plan import Sizes
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, Database, Server, serving, working
from benchmarks.tokens import ADMIN_EMAIL

OF_RAW = 0.3
AT_MOST = 3

_TAG = {"action": "add_tags", "tags": ["measured"]}
_UNTAG = {"action": "remove_tags", "tags": ["measured"]}
_CHANGES: Mapping[str, dict[str, Any]] = {"a tag more": _TAG, "deactivation": {"action": "deactivate"}}
_CHANGED = ("tags", "is_active", "facets", "search", "updated_at", "version")
_TOGETHER = 1_000
"""Raw updates of one bulk_write."""
_TRANSACTION = 200
_TRANSACTED = 10_000
"""Users who are written in transactions for comparison, which takes long."""

_Rows = Collection[dict[str, Any]]


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    directory = backends.database(sizes.imported, name="bulk")
    with (
        serving("roster", directory, jobs_inside=False) as server,
        working(directory) as worker,
        _users(directory) as users,
    ):
        memory.wait_until_idle(worker.pid)
        speeds = [finding for what in _CHANGES for finding in _speed(server, users, what, sizes)]
        return [*speeds, _bystander(server, sizes)]


def _speed(server: Server, users: _Rows, what: str, sizes: Sizes) -> list[Finding]:
    """In each round we change everybody, and the raw updates put back what was there: the same fields."""
    ours, planned, raw, transacted = list[float](), list[float](), list[float](), list[float]()
    for _ in range(sizes.import_rounds):
        before = list(users.find({"email": {"$ne": ADMIN_EMAIL}}, dict.fromkeys(_CHANGED, 1)))
        plan_s, apply_s = _change(server, _CHANGES[what])
        ours.append(len(before) / (plan_s + apply_s))
        planned.append(len(before) / plan_s)
        after = list(users.find({"email": {"$ne": ADMIN_EMAIL}}, dict.fromkeys(_CHANGED, 1)))
        raw.append(len(before) / _put(users, before, what))
        some = after[:_TRANSACTED]
        transacted.append(len(some) / _put(users, some, what, in_transactions=True))
        _put(users, before, what)
    told = f"{median(ours):,.0f}/s (plan {median(planned):,.0f}/s)"
    return [
        Finding(
            "bulk",
            f"plan and apply of {what} for {sizes.imported:,} users, of the rate of raw updates",
            f"{told} to {median(raw):,.0f}/s{spread(ours, raw)}",
            ratio(ours, raw),
            at_least=OF_RAW,
        ),
        Finding(
            "bulk",
            f"the same, of the rate of these updates in transactions of {_TRANSACTION}",
            f"{median(ours):,.0f}/s to {median(transacted):,.0f}/s{spread(ours, transacted)}",
            ratio(ours, transacted),
        ),
    ]


def _put(users: _Rows, rows: list[dict[str, Any]], what: str, *, in_transactions: bool = False) -> float:
    """Seconds of writing the fields that the change wrote, as they are in these rows."""
    changed = [name for name in _CHANGED if what == "a tag more" or name not in {"tags", "search"}]
    writes = [UpdateOne({"_id": row["_id"]}, {"$set": {name: row[name] for name in changed}}) for row in rows]
    together = _TRANSACTION if in_transactions else _TOGETHER
    started = time.perf_counter()
    with users.database.client.start_session() as session:
        for first in range(0, len(writes), together):
            with session.start_transaction() if in_transactions else nullcontext():
                users.bulk_write(writes[first : first + together], ordered=False, session=session)
    return time.perf_counter() - started


def _bystander(server: Server, sizes: Sizes) -> Finding:
    """Idle and busy in turn; each bulk change lasts longer than it is looked at."""
    idle, busy = list[float](), list[float]()
    paths = user_paths(server)
    for _ in range(sizes.rounds):
        idle.append(p99(server, paths, sizes.bystander_seconds))
        changing = threading.Thread(target=_change, args=(server, _TAG))
        changing.start()
        busy.append(p99(server, paths, sizes.bystander_seconds))
        changing.join()
        _change(server, _UNTAG)
    return Finding(
        "bulk",
        f"p99 of `GET /users/{{id}}` at {RATE}/s during a bulk change by another process, of its idle value",
        f"{median(busy):.1f} ms to {median(idle):.1f} ms{spread(busy, idle)}",
        ratio(busy, idle),
        at_most=AT_MOST,
    )


def _change(server: Server, change: dict[str, Any]) -> tuple[float, float]:
    """Seconds of planning and of applying it, to everybody."""
    body = json.dumps({"filter": {}, "change": change}).encode()
    started = time.perf_counter()
    begun = ask(server, "POST", "/users:bulk", body, kind="application/json")
    shown = wait(server, "/users/bulk", json.loads(begun), "planned")
    planned = time.perf_counter()
    begun = ask(server, "POST", f"/users/bulk/{shown['id']}/apply")
    applied = wait(server, "/users/bulk", json.loads(begun), "applied")
    ended = time.perf_counter()
    assert applied["counts"]["updated"] == shown["counts"]["update"] > 0, applied["counts"]
    return planned - started, ended - planned


@contextmanager
def _users(directory: Database) -> Iterator[_Rows]:
    with MongoClient[dict[str, Any]](directory.mongo_uri) as mongo:
        database = mongo.get_default_database()
        yield database.get_collection("users", write_concern=WriteConcern("majority"))
