"""The console's tests: one service with 3,000 people and one browser for all tests of a process."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright
from pymongo import MongoClient

from benchmarks.servers import Database, fill
from tests.support.console import ADMIN, PASSWORD, Door, sign_in
from tests.support.live import LiveServer, command
from tests.support.servers import MongoServer, RedisServer
from tools import browser as chromium

collect_ignore = [] if "CONSOLE_PEOPLE" in os.environ else ["whole"]
"""What `make console-test` alone does."""
PEOPLE = int(os.environ.get("CONSOLE_PEOPLE", "3000"))
MANY = 20_000
"""From here on rows are written first, and their indexes built after, in a cache that holds them."""
CACHE = {"setParameter": 1, "wiredTigerEngineRuntimeConfig": "cache_size=3G"}


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(**chromium.launch_options())
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def served(
    mongo_server: MongoServer,
    mongo_client: MongoClient[dict[str, Any]],
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("console")
    uris: dict[str, Any] = {
        "mongo_uri": mongo_server.uri_of("console"),
        "redis_url": redis_server.url.removesuffix("/0") + "/5",
    }
    if PEOPLE < MANY:
        command(folder, "sample", str(PEOPLE), **uris).check_returncode()
    else:
        mongo_client.admin.command(CACHE)
        fill(Database(**uris, users=PEOPLE))
    admin: dict[str, Any] = {"admin_email": ADMIN, "admin_password": PASSWORD}
    with LiveServer(folder, **uris, **admin, tries_per_account=1_000_000) as server:
        yield server


@pytest.fixture(scope="session")
async def opened(served: LiveServer, browser: Browser) -> Door:
    """With an administrator who signed in by the pages, as people do."""
    door = Door(served, browser)
    async with door.visit(signed_in=False) as page:
        await sign_in(page)
        door.state = await page.context.storage_state()
    return door


@pytest.fixture
def door(opened: Door) -> Iterator[Door]:
    """After the test no request has left the origin, and no page has failed."""
    opened.strayed.clear()
    yield opened
    assert opened.strayed == []


@pytest.fixture
async def console(door: Door) -> AsyncIterator[Page]:
    """A window at the people, once their rows are there."""
    async with door.visit("/people") as page:
        await page.wait_for_selector("tbody tr")
        yield page
