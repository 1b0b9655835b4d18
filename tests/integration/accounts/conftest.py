"""What the tests of accounts share: a service that sends mail, and where anybody may register."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.api import serving_module
from tests.support.servers import MongoServer, RedisServer


@pytest.fixture(scope="module")
async def inviting(
    mongo_server: MongoServer, redis_server: RedisServer, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """As `mailing`, where anybody may register."""
    folder, tries = servers_folder / "mail", 100_000
    async with serving_module(
        mongo_server, redis_server, mail_folder=folder, tries_per_address=tries, registration="open"
    ) as client:
        yield client
