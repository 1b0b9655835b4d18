"""What the tests of accounts share: a service that sends mail, and where anybody may register."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.databases import PreparedDatabases


@pytest.fixture(scope="module")
async def inviting(
    prepared_databases: PreparedDatabases, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """As `mailing`, where anybody may register."""
    folder, tries = servers_folder / "mail", 100_000
    async with prepared_databases.serving(
        mail_folder=folder, tries_per_address=tries, registration="open"
    ) as client:
        yield client
