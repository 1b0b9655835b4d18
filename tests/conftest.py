"""What both tiers share: the servers, started when the first test asks for one."""

import gc
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from redis import Redis

from tests.support.databases import PreparedDatabases
from tests.support.servers import MongoServer, RedisServer, S3Server

pytest_plugins = ["tests.support.suite_logs"]

MEMORY = Path("/dev/shm")  # noqa: S108 - its own folder inside is private; a disk would only slow the tests


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the run: all modules and tests."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(scope="session")
def s3_keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "a-key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-of-that-key")
        yield


@pytest.fixture(scope="session")
def s3_server(servers_folder: Path, s3_keys: None) -> Iterator[S3Server]:  # noqa: ARG001 - it needs them
    """Shared by the whole run; a test that kills or freezes a server starts one of its own."""
    with S3Server(servers_folder) as server:
        yield server


@pytest.fixture(scope="session")
def mongo_client(mongo_server: MongoServer) -> Iterator[MongoClient[dict[str, Any]]]:
    """For what is done between tests."""
    with MongoClient[dict[str, Any]](mongo_server.uri) as client:
        yield client


@pytest.fixture(scope="session")
def prepared_databases(
    mongo_server: MongoServer, redis_server: RedisServer, mongo_client: MongoClient[dict[str, Any]]
) -> PreparedDatabases:
    return PreparedDatabases(mongo_server, redis_server, mongo_client)


@pytest.fixture
def mongo_uri(prepared_databases: PreparedDatabases) -> Iterator[str]:
    """Of a database that only this test has, as a service left it that has started: without users."""
    with prepared_databases.lending() as uri:
        yield uri


@pytest.fixture(scope="module")
def module_uri(prepared_databases: PreparedDatabases) -> Iterator[str]:
    """As `mongo_uri`, of a database that the module's tests share."""
    with prepared_databases.lending_to_module() as uri:
        yield uri


@pytest.fixture
def bare_uri(mongo_server: MongoServer, mongo_client: MongoClient[dict[str, Any]]) -> Iterator[str]:
    """Of a database that only this test has, without collections."""
    name = f"t_{uuid.uuid4().hex}"
    yield mongo_server.uri_of(name)
    mongo_client.drop_database(name)


@pytest.fixture(scope="session")
def emptied_redis(redis_server: RedisServer) -> Iterator[tuple[str, Redis]]:
    """The address of the database that tests use one after the other, and the connection that empties it."""
    url = redis_server.url.removesuffix("/0") + "/1"
    with Redis.from_url(url) as client:
        yield url, client


@pytest.fixture
def redis_url(emptied_redis: tuple[str, Redis]) -> str:
    """Of an empty database that tests use one after the other; what a module keeps open lives in another."""
    url, client = emptied_redis
    client.flushdb()
    return url
