"""The integration tier: every test has a database of its own on a real server."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import serving
from tests.support.jobs import Start
from tests.support.servers import RedisServer


@pytest.fixture
async def client(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_uri, redis_url) as opened:
        yield opened


@pytest.fixture
async def starts(mongo_uri: str, redis_url: str) -> AsyncIterator[Start]:
    """Starts an app that works on jobs, and one beside it when called again."""
    async with AsyncExitStack() as running:

        async def start(**settings: Any) -> httpx.AsyncClient:
            settings = {"jobs_inside": True, "job_lease_s": 2} | settings
            return await running.enter_async_context(serving(mongo_uri, redis_url, **settings))

        yield start


@pytest.fixture
def own_folder(servers_folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=servers_folder) as folder:
        yield Path(folder)


@pytest.fixture
def own_redis(own_folder: Path) -> Iterator[RedisServer]:
    """One that the test may harm."""
    with RedisServer(own_folder) as server:
        yield server
