"""The integration tier: every test has a database of its own on a real server."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import container
from app.auth.passwords import Passwords
from app.database import connections
from app.spreadsheets.reading import tables
from tests.support import forked
from tests.support.api import serving, serving_prepared
from tests.support.databases import PreparedDatabases, bind
from tests.support.identity import CHEAP
from tests.support.jobs import Start
from tests.support.reading import ReaderServer
from tests.support.servers import RedisServer, S3Server
from tests.support.translations import noting_what_lacks_one


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Let apps within the tests hash at next to no cost: a sign-in takes 45 ms of a core otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container, "Passwords", partial(Passwords, cost=CHEAP))
        yield


@pytest.fixture(scope="session", autouse=True)
def bound_documents() -> Iterator[None]:
    """Let apps within the tests initialise Beanie once in each process: 7 ms a start otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "init_beanie", bind)
        yield


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    """Let servers fork their workers, where they serve no metrics: each start takes two seconds otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forked, "forks_workers", True)
        yield


@pytest.fixture(scope="session")
def untranslated() -> Iterator[set[str]]:
    with noting_what_lacks_one() as lacking:
        yield lacking


@pytest.fixture(autouse=True)
def told_in_every_language(request: pytest.FixtureRequest, untranslated: set[str]) -> Iterator[None]:
    """Fail a test in which a problem was told that a language does not have, unless it made the text up."""
    yield
    lacking = sorted(untranslated)
    untranslated.clear()
    if request.node.get_closest_marker("makes_texts_up") is None:
        assert not lacking, "write these in each catalogue, under [problems]"


@pytest.fixture(scope="session")
def reader_server() -> Iterator[ReaderServer]:
    with ReaderServer() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def forked_readers(reader_server: ReaderServer) -> Iterator[None]:
    """Let apps within the tests fork the readers of files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "begin", reader_server.begin)
        yield


@pytest.fixture
def costly_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service has them, for apps that start from now on."""
    monkeypatch.setattr(container, "Passwords", Passwords)


@pytest.fixture
async def client(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving_prepared(mongo_uri, redis_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def shared(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """As `client`, of an app that the module's tests share: for those that do not mind what others left."""
    async with prepared_databases.serving() as opened:
        yield opened


@pytest.fixture(scope="module")
async def mailing(
    prepared_databases: PreparedDatabases, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """As `shared`, with mail on: what waits in the outbox stays there."""
    async with prepared_databases.serving(
        mail_folder=servers_folder / "mail", tries_per_address=100_000
    ) as client:
        yield client


@pytest.fixture(scope="module")
async def direct(
    prepared_databases: PreparedDatabases, s3_server: S3Server
) -> AsyncIterator[httpx.AsyncClient]:
    """As `shared`, at work on jobs, with a bucket that clients reach, and mails that wait."""
    settings = s3_server.settings | {
        "files_url": f"s3://{s3_server.bucket}/{uuid.uuid4().hex}",
        "files_direct": True,
        "export_buckets": f"s3://{s3_server.bucket}/reports, s3://nowhere",
        "smtp_url": "smtp+plain://127.0.0.1:9",
        "mail_from": "roster@example.com",
        "jobs_inside": True,
    }
    async with prepared_databases.serving(**settings) as client:
        yield client


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
