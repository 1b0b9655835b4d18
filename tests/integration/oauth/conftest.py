"""What the tests of authentication share: a service for applications, and a user of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.identity import member


@pytest.fixture(scope="module")
async def op(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving() as http:
        yield http


@pytest.fixture(scope="module")
async def user(op: httpx.AsyncClient) -> dict[str, Any]:
    return await member(op, "me", "users:read")
