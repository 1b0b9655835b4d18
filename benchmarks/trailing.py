"""What a change costs beside what MongoDB needs for it, and what the audit trail adds.

`python -m benchmarks.trailing START COUNT` creates and patches sample people, one after the other: as
requests do, without the trail, and by the driver alone, which stores the same documents in the same
collection. It prints the median microseconds of each.
"""

import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from statistics import median
from typing import Any
from unittest import mock

import uvloop
from pymongo import ReturnDocument

from app import audit, container
from app.audit.write import COMMAND_LINE
from app.commands.sample import people
from app.container import Container
from app.core import settings
from app.core.mongo import Collection, Row
from app.database import transactions
from app.users import Authority
from app.users.user_records import SETTABLE, change, document, record
from benchmarks.plan import Sizes
from benchmarks.results import Finding
from benchmarks.servers import Backends
from models.user import UserInput, UserPatch
from models.values import ALL_SCOPES

OF_RAW = 1.9
OF_UNTOLD = {"create": 1.2, "PATCH": 1.3}
_USERS = 20_000
_COUNT = 1_000
_WARM_UP = 100
_PATCH = {"locale": "en-GB", "tags": ["patched"]}

Times = dict[str, list[float]]


def measure(servers: Backends, _: Sizes) -> list[Finding]:
    database = servers.database(_USERS, name="written")
    asked = [sys.executable, "-m", "benchmarks.trailing", str(_USERS), str(_COUNT)]
    done = subprocess.run(asked, env=database.environment(), stdout=subprocess.PIPE, check=True)
    told, alone, raw = json.loads(done.stdout)
    among = f"among {_USERS:,} users"
    return [
        *(
            _finding(f"a {what} {among}, of the driver's alone", told[what], raw[what], OF_RAW)
            for what in told
        ),
        *(
            _finding(f"a {what} {among}, of one without the audit trail", told[what], alone[what], at_most)
            for what, at_most in OF_UNTOLD.items()
        ),
    ]


def _finding(what: str, ours: float, theirs: float, at_most: float) -> Finding:
    return Finding("trail", what, f"{ours:,.0f} us to {theirs:,.0f} us", ours / theirs, at_most=at_most)


async def compare(start: int, count: int) -> list[dict[str, float]]:
    sides: list[Times] = [{"create": [], "PATCH": []} for _ in range(3)]
    async with container.opened(settings.load()) as opened:
        for number, person in enumerate(people(3 * count, start=start)):
            said = UserInput.model_validate({k: v for k, v in person.items() if k in UserInput.model_fields})
            times = sides[number % 3]
            if number % 3 == 2:
                await _store(opened.connections.users, document(record(said)), times)
            else:
                with _untold() if number % 3 else nullcontext():
                    await _change(opened, said, times)
    return [{what: median(each[_WARM_UP:]) for what, each in side.items()} for side in sides]


async def _change(opened: Container, said: UserInput, times: Times) -> None:
    authority = Authority(frozenset(ALL_SCOPES), COMMAND_LINE)
    patch = UserPatch.model_validate(_PATCH)
    with _timed(times["create"]):
        row = await opened.users.create(said, authority)
    with _timed(times["PATCH"]):
        await opened.users.patch(row["_id"], patch, authority=authority)


async def _store(users: Collection, stored: Row, times: Times) -> None:
    """The documents that `_change` stores, already made, each acknowledged by the majority as its own are."""
    patched = {name: stored[name] for name in SETTABLE} | _PATCH
    update, _ = change(patched, is_verified=False, differing=_PATCH)
    with _timed(times["create"]):
        await users.insert_one(stored)
    with _timed(times["PATCH"]):
        await users.update_one({"_id": stored["_id"], "version": 1}, update)


@contextmanager
def _timed(times: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    times.append((time.perf_counter() - began) * 1e6)


@contextmanager
def _untold() -> Iterator[None]:
    """Each change as one write of its own, as it would be without the trail."""

    async def alone(_client: Any, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await work(None)

    async def change(users: Collection, command: Row, *_: Any, **__: Any) -> Row:
        if "insert" in command:
            await users.insert_one(command["documents"][0])
            return {}
        changed = await users.find_one_and_update(
            command["query"], command["update"], command["fields"], return_document=ReturnDocument.AFTER
        )
        return {"value": changed}

    with (
        mock.patch.object(transactions, "together", alone),
        mock.patch.object(audit.write, "change", change),
    ):
        yield


if __name__ == "__main__":
    print(json.dumps(uvloop.run(compare(*map(int, sys.argv[1:])))))
