"""A process is killed between the writes of a change and its commit: MongoDB keeps its locks for a while."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from tests.programs.stuck_server import HALTED
from tests.support.api import serving
from tests.support.failing import assert_the_trail_agrees
from tests.support.live import LiveServer, wait_until
from tests.support.servers import MongoServer
from tests.support.sessions import PASSWORD
from tests.support.users import create, person, problem, read, until

LIMIT_S = 5
"""`transactionLifetimeLimitSeconds`; time enough to ask what is asked meanwhile."""
BUDGET_MS = 300
STUCK = ("-m", "tests.programs.stuck_server")


@pytest.fixture(scope="module")
def own_mongo(servers_folder: Path) -> Iterator[MongoServer]:
    with MongoServer(servers_folder / "killed-changes") as server:
        with MongoClient[dict[str, Any]](server.uri) as client:
            client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=LIMIT_S)
        yield server


@pytest.fixture
async def client(own_mongo: MongoServer, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(own_mongo.uri, redis_url, mongo_timeout_ms=BUDGET_MS) as opened:
        yield opened


@pytest.fixture
async def user(client: httpx.AsyncClient) -> dict[str, Any]:
    return await create(client)


@pytest.fixture
def stuck(
    user: dict[str, Any], own_mongo: MongoServer, redis_url: str, tmp_path: Path
) -> Iterator[LiveServer]:
    assert user, "the directory is not empty, and so gets no administrator"
    with LiveServer(tmp_path, program=STUCK, mongo_uri=own_mongo.uri, redis_url=redis_url) as server:
        yield server


async def kill_in_the_midst(server: LiveServer, *changes: tuple[str, str, dict[str, Any]]) -> None:
    """The server makes the changes but for their commits, and is no more."""

    def ask(method: str, path: str, body: dict[str, Any]) -> None:
        with server.client() as client, pytest.raises(httpx.TransportError):
            client.request(method, path, json=body)

    asking = [asyncio.create_task(asyncio.to_thread(ask, *each)) for each in changes]
    await asyncio.to_thread(wait_until, lambda: server.printed.count(HALTED) == len(changes))
    server.stop(signal.SIGKILL)
    await asyncio.gather(*asking)


async def ask_in_every_way(client: httpx.AsyncClient, user: dict[str, Any]) -> list[httpx.Response]:
    """All that would change the user, one after the other."""
    path = f"/users/{user['id']}"
    return [
        await client.patch(path, json={"name": "Ana Nova"}),
        await client.put(f"{path}/password", json={"password": PASSWORD}),
        await client.delete(f"{path}/sessions"),
        await client.delete(path),
    ]


async def test_a_change_that_was_killed_holds_up_that_user_alone_and_no_longer_than_mongodb_keeps_it(
    client: httpx.AsyncClient, user: dict[str, Any], stuck: LiveServer
) -> None:
    other = await create(client)
    unborn = person()
    await kill_in_the_midst(
        stuck, ("PATCH", f"/users/{user['id']}", {"name": "Ana Killed"}), ("POST", "/users", unborn)
    )

    for reply in await ask_in_every_way(client, user):
        problem(reply, 503, "unavailable")
        assert int(reply.headers["retry-after"]) > 0
    operation = {"op": "update", "id": user["id"], "patch": {"name": "Ana Nova"}}
    batch = await client.post("/users:batch", json={"operations": [operation]})
    assert [result["status"] for result in batch.json()["results"]] == [503]
    assert await read(client, user) == user
    assert (await client.patch(f"/users/{other['id']}", json={"name": "Ben"})).status_code == 200

    async def is_changed() -> bool:
        reply = await client.patch(f"/users/{user['id']}", json={"name": "Ana Nova"})
        assert reply.status_code in {200, 503}, reply.text
        return reply.status_code == 200

    await until(is_changed)
    now = await read(client, user)
    assert (now["name"], now["version"]) == ("Ana Nova", 2)
    assert (await client.post("/users", json=unborn)).status_code == 201
    await assert_the_trail_agrees(client)
