"""What the tests of pages share: a service, and Ana, who may sign in there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.databases import PreparedDatabases
from tests.support.identity import member
from tests.support.users import verify


@pytest.fixture(scope="module")
async def served(
    prepared_databases: PreparedDatabases, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """One service for all tests of a module, each with people of its own."""
    async with prepared_databases.serving(
        tries_per_address=10_000, mail_folder=servers_folder / "mail"
    ) as client:
        yield client


@pytest.fixture
async def ana(served: httpx.AsyncClient) -> dict[str, Any]:
    return await member(served)


@pytest.fixture
async def known(served: httpx.AsyncClient, ana: dict[str, Any]) -> dict[str, Any]:
    """Ana, whom mail to her address has reached."""
    assert await verify(served, ana)
    return ana
