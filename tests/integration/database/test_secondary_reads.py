"""Reads while no primary answers: on three nodes, whose secondaries are kept from electing another one."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.api import serving
from tests.support.opaque_tokens import Maker
from tests.support.servers import RedisServer
from tests.support.tokens import mint_for
from tests.support.users import NOBODY, create, database, problem, until
from tools.cluster import ReplicaSet

SILENCE_S = 120
TOO_OLD = "No primary answers, and no other node is fresh enough: try again."


@pytest.fixture(scope="module")
def nodes(servers_folder: Path) -> Iterator[ReplicaSet]:
    with ReplicaSet(servers_folder / "readers", election_ms=2_000) as started:
        started.initiate()
        started.wait_until_whole()
        yield started


@pytest.fixture(scope="module")
async def client(nodes: ReplicaSet, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(nodes.uri, redis_server.url, mongo_timeout_ms=2_000) as opened:
        yield opened


@pytest.fixture(scope="module")
async def seen(client: httpx.AsyncClient) -> dict[str, str]:
    """What a caller knows of a user whom they have created: the id, and the time in the reply."""
    reply = await client.post("/users", json={"name": "Quentin", "email": "quentin@example.com"})
    return {"id": reply.json()["id"], "Operation-Time": reply.headers["operation-time"]}


def _forbid_elections(nodes: ReplicaSet, seconds: int) -> None:
    for node in nodes.nodes.values():
        if node.role == "secondary":
            with node.administer() as admin:
                admin.admin.command("replSetFreeze", seconds)


@asynccontextmanager
async def silence(nodes: ReplicaSet) -> AsyncIterator[None]:
    """The primary is frozen, and no other one is elected until the end."""
    await asyncio.to_thread(nodes.wait_until_whole)  # with the password by which nodes are told
    primary = await asyncio.to_thread(nodes.find_primary)
    await asyncio.to_thread(_forbid_elections, nodes, SILENCE_S)
    primary.freeze()
    try:
        yield
    finally:
        primary.thaw()
        await asyncio.to_thread(_forbid_elections, nodes, 0)
        await asyncio.to_thread(nodes.wait_until_whole)


async def test_users_listings_searches_and_downloads_come_from_a_secondary_and_say_how_old_they_may_be(
    client: httpx.AsyncClient, nodes: ReplicaSet, seen: dict[str, str]
) -> None:
    after = {"Operation-Time": seen["Operation-Time"]}
    paths = (f"/users/{seen['id']}", "/users", "/users?q=quentin", "/users/suggest?q=quent", "/users/export")
    async with silence(nodes):
        for path in paths:
            reply = await client.get(path, headers=after)
            assert reply.status_code == 200, reply.text
            assert 0 <= int(reply.headers["data-age"]) <= 60
            assert "Quentin" in reply.text
        nobody = await client.get(f"/users/{NOBODY}")
        problem(nobody, 404, "user_not_found")
        assert "data-age" in nobody.headers
        change = await client.patch(f"/users/{seen['id']}", json={"name": "Q"})
        problem(change, 503, "unavailable")

    async def is_by_primary() -> bool:
        reply = await client.get(f"/users/{seen['id']}")
        return reply.status_code == 200 and "data-age" not in reply.headers

    await until(is_by_primary, seconds=60)


async def test_what_decides_access_is_never_asked_of_a_secondary(
    client: httpx.AsyncClient, nodes: ReplicaSet
) -> None:
    owner = await create(client)
    maker = Maker(client, owner["id"], await mint_for(client.app.state.container, owner["id"], "me"))  # type: ignore[attr-defined]  # set by `serving`
    opaque = (await maker.make())["token"]
    async with silence(nodes):
        reply = await client.get("/users/me", headers={"Authorization": f"Bearer {opaque}"})
        problem(reply, 503, "unavailable")
        assert "data-age" not in reply.headers


async def test_a_time_that_no_node_has_reached_is_answered_503_and_holds_nobody_up(
    client: httpx.AsyncClient, nodes: ReplicaSet, seen: dict[str, str]
) -> None:
    ahead = {"Operation-Time": f"{int(time.time()) + 30}.1"}
    content = problem(await client.get("/users", headers=ahead), 503, "unavailable")
    assert content["detail"] == "No node has the write of this Operation-Time yet: try again."
    async with silence(nodes):
        content = problem(await client.get(f"/users/{seen['id']}", headers=ahead), 503, "unavailable")
        assert content["detail"] == "No node has the write of this Operation-Time yet: try again."


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (["soon"], "Must be the Operation-Time of a reply, such as 1764536400.1."),
        (["1764536400.1", "1764536400.2"], "Must be the Operation-Time of a reply, such as 1764536400.1."),
        (["9999999999.1"], "Must not be in the future."),
    ],
)
async def test_what_is_no_time_of_a_write_is_refused(
    client: httpx.AsyncClient, sent: list[str], detail: str
) -> None:
    reply = await client.get("/users", headers=[("Operation-Time", one) for one in sent])
    content = problem(reply, 422, "validation_failed")
    assert content["errors"] == [{"detail": detail, "parameter": "Operation-Time"}]


async def test_secondaries_that_lag_too_far_behind_are_not_shown(
    nodes: ReplicaSet, redis_server: RedisServer, seen: dict[str, str]
) -> None:
    async with (
        serving(nodes.uri, redis_server.url, mongo_timeout_ms=2_000, stale_reads_s=1) as impatient,
        silence(nodes),
    ):

        async def is_refused() -> bool:
            reply = await impatient.get(f"/users/{seen['id']}")
            return bool(
                reply.status_code == 503 and "no other node is fresh enough" in reply.json()["detail"]
            )

        await until(is_refused, seconds=30)


async def test_no_secondary_is_asked_where_answers_must_not_be_old(
    nodes: ReplicaSet, redis_server: RedisServer, seen: dict[str, str]
) -> None:
    async with (
        serving(nodes.uri, redis_server.url, mongo_timeout_ms=1_000, stale_reads_s=0) as strict,
        silence(nodes),
    ):
        reply = await strict.get(f"/users/{seen['id']}")
        content = problem(reply, 503, "unavailable")
        assert content["detail"] == "MongoDB did not answer in time: try again."


async def test_nodes_are_watched_as_the_address_says_or_else_every_second(
    client: httpx.AsyncClient, nodes: ReplicaSet, redis_server: RedisServer
) -> None:
    ours = database(client).client.options
    assert (ours.heartbeat_frequency, ours.pool_options.connect_timeout) == (1, 2)
    async with serving(f"{nodes.uri}&heartbeatFrequencyMS=5000", redis_server.url) as calm:
        asked = database(calm).client.options
        assert (asked.heartbeat_frequency, asked.pool_options.connect_timeout) == (5, 2)
