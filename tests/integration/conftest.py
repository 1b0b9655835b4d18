"""The integration tier: every test has a database of its own on a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.support.api import serving
from tests.support.jobs import Start


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
