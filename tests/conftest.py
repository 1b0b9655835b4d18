"""What both tiers share: the servers, started when the first test asks for one."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from redis import Redis

from tests.support.servers import MongoServer, RedisServer

pytest_plugins = ["tests.support.suite_logs"]

MEMORY = Path("/dev/shm")  # noqa: S108 - its own folder inside is private; a disk would only slow the tests


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """In memory where there is such a file system, so that no test waits for a disk."""
    with tempfile.TemporaryDirectory(
        prefix="roster-tests-", dir=MEMORY if MEMORY.is_dir() else None
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def mongo_server(servers_folder: Path) -> Iterator[MongoServer]:
    """Shared by the whole run; a test that kills or freezes a server starts one of its own."""
    with MongoServer(servers_folder) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(servers_folder: Path) -> Iterator[RedisServer]:
    """Shared by the whole run; a test that kills or freezes a server starts one of its own."""
    with RedisServer(servers_folder) as server:
        yield server


@pytest.fixture
def mongo_uri(mongo_server: MongoServer) -> Iterator[str]:
    """Of an empty database that only this test has."""
    database = f"t_{uuid.uuid4().hex}"
    yield mongo_server.uri_of(database)
    with MongoClient[dict[str, Any]](mongo_server.uri) as client:
        client.drop_database(database)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Of an empty database that tests use one after the other; what a module keeps open lives in another."""
    url = redis_server.url.removesuffix("/0") + "/1"
    with Redis.from_url(url) as client:
        client.flushdb()
    return url
