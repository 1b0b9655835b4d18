"""The integration tier: every test has a database of its own on a real server."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api import serving


@pytest.fixture
async def client(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_uri, redis_url) as opened:
        yield opened
