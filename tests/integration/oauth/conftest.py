"""What the tests of authentication share: a service for applications, and a user of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

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
