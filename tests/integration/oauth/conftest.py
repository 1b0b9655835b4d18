"""What the tests of authentication share: a service for applications, and a user of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import serving_module
from tests.support.authorization import providing
from tests.support.identity import member
from tests.support.servers import MongoServer, RedisServer


@pytest.fixture(scope="module")
async def op(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with providing(mongo_server, redis_server) as http:
        yield http


@pytest.fixture(scope="module")
async def user(op: httpx.AsyncClient) -> dict[str, Any]:
    return await member(op, "me", "users:read")


@pytest.fixture(scope="module")
async def mailing(
    mongo_server: MongoServer, redis_server: RedisServer, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """As `shared`, with mail on: what waits in the outbox stays there."""
    async with serving_module(
        mongo_server, redis_server, mail_folder=servers_folder / "mail", tries_per_address=100_000
    ) as client:
        yield client
