"""On three nodes: what was acknowledged stays, whatever befalls the primary and the way to it.

How long it takes, and a primary frozen or cut off for long, are measured by `make faults`.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import serving
from tests.support.proxies import Proxy, ProxyThread
from tests.support.servers import RedisServer
from tests.support.users import person, until, users
from tools.cluster import ReplicaSet

ELECTION_MS = 2_000
TIMEOUT_MS = 1_000


@pytest.fixture(scope="module")
def proxies() -> Iterator[ProxyThread]:
    with ProxyThread() as thread:
        yield thread


@pytest.fixture(scope="module")
def nodes(servers_folder: Path, proxies: ProxyThread) -> Iterator[ReplicaSet]:
    with ReplicaSet(servers_folder / "set", proxies=proxies, election_ms=ELECTION_MS) as started:
        started.initiate()
        started.wait_until_whole()
        yield started


@pytest.fixture(scope="module")
async def client(nodes: ReplicaSet, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    """Of a service that lives through all that happens."""
    async with serving(nodes.uri, redis_server.url, mongo_timeout_ms=TIMEOUT_MS) as opened:
        yield opened


class Writer:
    """Creates one user after the other."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.answers: Counter[int] = Counter()
        self.acknowledged: list[str] = []

    async def write(self) -> int:
        user = person()
        reply = await self._client.post("/users", json=user)
        self.answers[reply.status_code] += 1
        if reply.status_code == 201:
            self.acknowledged.append(user["email"])
        elif reply.status_code == 503:
            assert int(reply.headers["retry-after"]) > 0
        return reply.status_code

    async def wait_for_more(self, count: int = 5) -> None:
        goal = len(self.acknowledged) + count

        async def has_come() -> bool:
            return len(self.acknowledged) >= goal

        await until(has_come, seconds=60)


@asynccontextmanager
async def writing(client: httpx.AsyncClient) -> AsyncIterator[Writer]:
    """At the end all that was acknowledged is there once, and nothing was answered but 201 and 503."""
    writer = Writer(client)
    enough = asyncio.Event()

    async def go_on() -> None:
        while not enough.is_set():
            await writer.write()

    async with asyncio.TaskGroup() as group:
        group.create_task(go_on())
        try:
            await writer.wait_for_more()
            yield writer
            await writer.wait_for_more()
        finally:
            enough.set()
    assert writer.answers.keys() <= {201, 503}
    rows = users(client).find({"email": {"$in": writer.acknowledged}}, {"email": 1})
    assert Counter([row["email"] async for row in rows]) == Counter(writer.acknowledged)


@pytest.mark.parametrize("what", ["stepped down", "killed"])
async def test_writes_go_on_with_another_primary_and_those_that_were_acknowledged_stay(
    client: httpx.AsyncClient, nodes: ReplicaSet, what: Any
) -> None:
    async with writing(client) as writer:
        happening = nodes.suffering(what)
        await asyncio.to_thread(happening.__enter__)
        await writer.wait_for_more()
        await asyncio.to_thread(happening.__exit__, None, None, None)


def _cut(proxy: Proxy) -> None:
    proxy.cut()
    proxy.heal()


def _slow_down(proxy: Proxy) -> None:
    proxy.latency_s = 0.05


@pytest.mark.parametrize("fault", [Proxy.half_open, _cut, _slow_down])
async def test_the_way_to_the_primary_may_break_and_be_slow(
    client: httpx.AsyncClient, nodes: ReplicaSet, proxies: ProxyThread, fault: Callable[[Proxy], None]
) -> None:
    proxy = (await asyncio.to_thread(nodes.find_primary)).proxy
    assert proxy is not None
    async with writing(client) as writer:
        proxies.call(partial(fault, proxy))
        await writer.wait_for_more()
    proxy.latency_s = 0
    await asyncio.to_thread(nodes.wait_until_whole)
