"""MongoDB frozen or gone: each route says 503 within its time-out, and works again when MongoDB does."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.values import ALL_SCOPES
from tests.support.api import serving
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import create, person, problem, read, until

PASSWORD = "correct horse battery"
BOUND_S = 20
"""Ten times what a route may take here; out of the box PyMongo takes 30 s and more."""


async def _ask_every_route(client: httpx.AsyncClient, user: dict[str, Any]) -> dict[str, httpx.Response]:
    path = f"/users/{user['id']}"
    match = {"If-Match": '"1"'}
    asked = {
        "create": client.post("/users", json=person()),
        "read": client.get(path),
        "patch": client.patch(path, json={"name": "x"}),
        "patch a version": client.patch(path, json={"name": "x"}, headers=match),
        "replace": client.put(path, json=person()),
        "delete": client.delete(path),
        "delete a version": client.delete(path, headers=match),
        "list": client.get("/users"),
        "list by name": client.get("/users?sort=name&city=x"),
        "skip": client.get("/users?skip=100"),
        "count": client.get("/users?count=exact"),
        "estimate": client.get("/users?count=estimated"),
        "one by e-mail": client.get("/users", params={"email": user["email"]}),
        "csv": client.get("/users/export/csv"),
        "excel": client.get("/users/export/excel"),
        "ndjson": client.get("/users/export?format=ndjson"),
    }
    async with asyncio.timeout(BOUND_S):
        replies = await asyncio.gather(*asked.values())
    return dict(zip(asked, replies, strict=True))


async def _assert_unavailable(client: httpx.AsyncClient, user: dict[str, Any]) -> None:
    for name, reply in (await _ask_every_route(client, user)).items():
        assert reply.status_code == 503, (name, reply.text)
        problem(reply, 503, "unavailable")
        assert int(reply.headers["retry-after"]) > 0, name
        assert "127.0.0.1" not in reply.text, name
    operations = [{"op": "create", "user": person()}, {"op": "delete", "id": user["id"]}]
    async with asyncio.timeout(BOUND_S):
        batch = await client.post("/users:batch", json={"operations": operations})
    assert [result["status"] for result in batch.json()["results"]] == [503, 503]
    assert (await client.get("/health/live")).status_code == 200
    problem(await client.post("/users", json={}), 422, "validation_failed")


async def _answers(client: httpx.AsyncClient) -> bool:
    return (await client.get("/users?limit=1")).status_code == 200


async def test_a_frozen_and_a_killed_mongod_are_503_and_then_forgotten(
    servers_folder: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with MongoServer(servers_folder / "faults") as server:
        async with serving(server.uri, redis_url, mongo_timeout_ms=500) as client:
            user = await create(client, username="kept", phone="+34600000000")
            server.freeze()
            try:
                await _assert_unavailable(client, user)
            finally:
                server.thaw()
            await until(lambda: _answers(client))
            user = await create(client, email="after.thaw@example.com")
            server.kill()
            await _assert_unavailable(client, user)
            server.restart()
            await until(lambda: _answers(client))
            assert await read(client, user) == user  # what was acknowledged before SIGKILL is there after it
            assert (await client.patch(f"/users/{user['id']}", json={"name": "Bea"})).status_code == 200
    log = capsys.readouterr().err
    assert "backend_unavailable" in log
    assert "internal_error" not in log
    assert user["email"] not in log


async def _ask_token(client: httpx.AsyncClient, email: str) -> httpx.Response:
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    request = client.build_request("POST", "/auth/token", data=form)
    del request.headers["Authorization"]  # it would name a client there
    return await client.send(request)


async def _sign_in(client: httpx.AsyncClient) -> None:
    """As a user of the directory: MongoDB vouches for their session when Redis was away."""
    user = await create(client, scopes=list(ALL_SCOPES))
    password = {"password": PASSWORD}
    assert (await client.put(f"/users/{user['id']}/password", json=password)).status_code == 204
    reply = await _ask_token(client, user["email"])
    assert reply.status_code == 200, reply.text
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"


@pytest.mark.parametrize("fault", ["killed", "frozen"])
async def test_without_redis_nobody_is_let_in_and_when_it_returns_all_who_were(
    servers_folder: Path, mongo_uri: str, fault: str
) -> None:
    with RedisServer(servers_folder / f"lost-{fault}") as redis:
        async with serving(mongo_uri, redis.url) as client:
            await _sign_in(client)
            user = await create(client)
            if fault == "killed":
                redis.kill()
            else:
                redis.freeze()
            for name, reply in (await _ask_every_route(client, user)).items():
                assert "Redis" in problem(reply, 503, "unavailable")["detail"], name
                assert int(reply.headers["retry-after"]) > 0, name
            problem(await _ask_token(client, user["email"]), 503, "unavailable")
            assert (await client.get("/health/live")).status_code == 200
            if fault == "killed":
                redis.restart()
            else:
                redis.thaw()
            await until(lambda: _answers(client))
            assert await read(client, user) == user
