"""Time budgets of a listing, on a MongoDB that can be told to be slow."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.commands.embedded import binaries, mongod
from app.commands.embedded.servers import Server
from tests.support.api import serving
from tests.support.listing import document, listed, problem, resources, users
from tests.support.servers import MongoServer, RedisServer

SLOW_MS = 400
BUDGET_MS = 100


@pytest.fixture(scope="module")
def slow_server(servers_folder: Path) -> Iterator[Server]:
    """A mongod with fail points."""
    binary = binaries.find("mongod", copies=servers_folder / "bin")

    def command(data: Path, port: int) -> list[str]:
        return [
            *mongod.command(binary, data, port, cache_gb=0.25),
            *("--setParameter", "enableTestCommands=1"),
        ]

    server = Server(servers_folder / "slow-mongod", command=command, ready=mongod.settle)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
async def directory(slow_server: Server, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    """Two users, and budgets of a tenth of a second."""
    budgets = {"query_budget_ms": BUDGET_MS, "count_budget_ms": BUDGET_MS}
    async with serving(mongod.uri(slow_server.port, "budgets"), redis_server.url, **budgets) as client:
        await users(client).insert_many([document(0), document(1, is_active=False)])
        yield client


@asynccontextmanager
async def slow(client: httpx.AsyncClient, command: str, *, times: int | None = None) -> AsyncIterator[None]:
    """MongoDB sits on the next commands of this name for longer than the budget."""
    admin = resources(client).connections.database.client.admin
    await admin.command(
        {
            "configureFailPoint": "failCommand",
            "mode": {"times": times} if times else "alwaysOn",
            "data": {"failCommands": [command], "blockConnection": True, "blockTimeMS": SLOW_MS},
        }
    )
    try:
        yield
    finally:
        await admin.command({"configureFailPoint": "failCommand", "mode": "off"})


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        (
            {"sort": "-name", "tag": "x"},
            "Add a filter on email, username, phone or id, or leave out `sort`.",
        ),
        (
            {"sort": "age", "city": "x"},
            "Add a filter on email, username, phone or id, or age_min and age_max, or leave out `sort`.",
        ),
        (
            {"city": "x", "tag": "y"},
            "Add a filter on email, username, phone or id, or created_from and created_to.",
        ),
    ],
)
async def test_a_page_dear_by_its_plan_and_past_its_budget_is_refused_with_advice(
    directory: httpx.AsyncClient, asked: dict[str, Any], advice: str
) -> None:
    async with slow(directory, "find"):
        reply = await directory.get("/users", params=asked)
    assert reply.status_code == 422
    assert reply.json()["code"] == "query_too_expensive"
    assert reply.json()["detail"].endswith(advice)
    assert len((await listed(directory))["items"]) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/users",
        "/users?sort=-name",
        "/users?city=x",
        "/users?sort=age&age_min=3",
        "/users?email=a@example.org&sort=name",
        "/users?skip=1",
        "/users?q=anna",
        "/users/suggest?q=anna",
        "/audit",
        "/audit?action=created",
    ],
)
async def test_what_is_cheap_by_its_plan_and_past_its_budget_is_told_that_mongodb_is_busy(
    directory: httpx.AsyncClient, path: str
) -> None:
    async with slow(directory, "find"):
        reply = await directory.get(path)
    assert (reply.status_code, reply.json()["code"]) == (503, "overloaded")
    assert reply.headers["retry-after"] == "1"
    assert "filter" not in reply.json()["detail"]


async def test_the_server_too_knows_the_budget(directory: httpx.AsyncClient) -> None:
    """So that a query whose client has gone does not run on."""
    database = resources(directory).connections.database
    await database.command("profile", 2)
    await listed(directory)
    await database.command("profile", 0)
    profiled = await database["system.profile"].find({"op": "query", "ns": "budgets.users"}).to_list()
    assert profiled
    assert all(0 < query["command"]["maxTimeMS"] <= BUDGET_MS for query in profiled)


async def test_an_exact_total_past_its_budget_becomes_a_capped_one(directory: httpx.AsyncClient) -> None:
    async with slow(directory, "aggregate", times=1):
        page = await listed(directory, count="exact")
    assert page["total"] == {"value": 2, "relation": "eq"}
    assert len(page["items"]) == 2


@pytest.mark.parametrize("count", ["exact", "capped", "estimated"])
async def test_a_total_that_is_not_known_in_time_is_at_least_none(
    directory: httpx.AsyncClient, count: str
) -> None:
    async with slow(directory, "aggregate"):
        page = await listed(directory, count=count, is_active="true")
    assert page["total"] == {"value": 0, "relation": "gte"}
    assert len(page["items"]) == 1


async def test_no_total_is_asked_for_unasked(directory: httpx.AsyncClient) -> None:
    async with slow(directory, "aggregate"):
        assert (await listed(directory))["total"] is None


async def test_a_query_that_is_slow_by_itself_is_stopped(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, query_budget_ms=1, count_budget_ms=1) as client:
        await users(client).insert_many([document(number, age=number % 99) for number in range(2_000)])
        asked = {"age_max": 98, "is_active": "true", "sort": "-name", "limit": 1000}
        assert await problem(client, **asked) == (422, "query_too_expensive", [])


async def test_a_frozen_mongodb_is_unavailable_not_a_dear_query(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with MongoServer(tmp_path) as server:
        async with serving(server.uri, redis_server.url, query_budget_ms=BUDGET_MS) as client:
            await users(client).insert_one(document(0))
            server.freeze()
            reply = await client.get("/users")
            server.thaw()
            assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
            assert reply.headers["retry-after"]
            assert len((await listed(client))["items"]) == 1
