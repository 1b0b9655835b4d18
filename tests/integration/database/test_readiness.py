"""Readiness says what is missing, quickly and without asking much; a start waits for what is late."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from pydantic import SecretStr

from app import container
from app.commands.embedded import ports
from app.core.errors import StartError
from app.core.settings import Settings
from app.database.readiness import Readiness
from app.keys.keyring import Keyring
from tests.support.api import serving
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import problem, until

HURRY = 100_000
"""Times as quick as time is the clock of readiness here, by which a look is good for a second or a minute."""
BOUND_S = 10
"""Far above the second it takes, and below what PyMongo would."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request looks anew."""
    monkeypatch.setattr(container, "Readiness", partial(Readiness, now=lambda: time.monotonic() * HURRY))


async def missing(client: httpx.AsyncClient) -> str:
    async with asyncio.timeout(BOUND_S):
        reply = await client.get("/health/ready", headers={"Authorization": ""})
    if reply.status_code == 200:
        assert reply.json() == {"status": "ready"}
        return ""
    assert int(reply.headers["retry-after"]) > 0
    return str(problem(reply, 503, "not_ready")["detail"])


async def becomes(client: httpx.AsyncClient, *words: str) -> str:
    """What is missing once all of it is said; nothing where no words are given."""
    found = [""]

    async def says() -> bool:
        found[0] = await missing(client)
        return all(word in found[0] for word in words) if words else found[0] == ""

    await until(says)
    return found[0]


async def test_it_names_the_backend_that_is_away_and_forgets_it_when_it_is_back(
    servers_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with MongoServer(servers_folder / "ready") as mongo, RedisServer(servers_folder / "ready") as redis:
        async with serving(mongo.uri, redis.url, mongo_timeout_ms=500) as client:
            assert await missing(client) == ""
            mongo.freeze()
            assert await becomes(client, "mongodb") == "mongodb: no primary answers."
            redis.kill()
            both = "mongodb: no primary answers; redis: it does not answer."
            assert await becomes(client, "mongodb", "redis") == both
            assert (await client.get("/health/live")).status_code == 200
            mongo.thaw()
            redis.restart()
            await becomes(client)
    assert "internal_error" not in capsys.readouterr().err


async def test_it_names_indexes_and_keys_that_are_missing(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url) as client:
        opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
        await becomes(client)
        await opened.connections.users.create_index("bio", name="of_others")
        await opened.connections.users.drop_index("email")
        sentence = "indexes: 1 missing or different, which `python -m app indexes check` lists."
        assert await becomes(client, "indexes") == sentence
        with mock.patch.object(Keyring, "_find_signing", return_value=None):
            assert await becomes(client, "keys") == sentence.replace(".", "; keys: none can sign.")


async def test_many_probes_cost_one_look(
    mongo_uri: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "Readiness", Readiness)
    async with serving(mongo_uri, redis_url) as client:
        opened = client.app.state.container  # type: ignore[attr-defined]  # set by `serving`
        with (
            mock.patch("app.database.readiness.BOUND_S", 60.0),
            mock.patch.object(opened.readiness, "_ask", wraps=opened.readiness._ask) as looks,
        ):
            replies = await asyncio.gather(*(client.get("/health/ready") for _ in range(50)))
        assert {reply.status_code for reply in replies} == {200}
        assert looks.call_count == 1


async def start(mongo_uri: str, redis_url: str, wait_s: float, **more: Any) -> None:
    settings = Settings(
        _env_file=None, mongo_uri=SecretStr(mongo_uri), redis_url=SecretStr(redis_url), **more
    )
    async with container.opened(settings, wait_s=wait_s):
        pass


async def test_a_start_waits_for_a_backend_that_comes_late(
    servers_folder: Path, mongo_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with RedisServer(servers_folder / "late") as redis:
        redis.kill()
        starting = asyncio.create_task(start(mongo_uri, redis.url, wait_s=60))

        async def waits() -> bool:
            return "waiting_for_backend" in capsys.readouterr().err

        await until(waits)
        await asyncio.to_thread(redis.restart)
        await starting


@pytest.mark.parametrize("absent", ["MongoDB", "Redis"])
async def test_a_start_that_waited_in_vain_says_for_what_in_one_sentence(
    absent: str, bare_uri: str, redis_url: str
) -> None:
    nowhere = f"127.0.0.1:{ports.choose()}"
    uris = {"mongo_uri": bare_uri, "redis_url": redis_url}
    uris |= (
        {"mongo_uri": f"mongodb://{nowhere}"} if absent == "MongoDB" else {"redis_url": f"redis://{nowhere}"}
    )
    began = time.monotonic()
    with pytest.raises(
        StartError, match=rf"^{absent} cannot be reached \(connection refused\): check ROSTER_\w+\.$"
    ):
        await start(**uris, wait_s=1, mongo_timeout_ms=300)
    assert time.monotonic() - began >= 1, "it did not wait"
