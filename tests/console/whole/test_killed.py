"""The server is killed in the midst of something: the page says so, waits, and goes on once it is back."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect
from pymongo import MongoClient

from tests.support.console import ADMIN, PASSWORD, Door, sign_in
from tests.support.live import LiveServer
from tests.support.servers import MongoServer, RedisServer

ROWS = 20_000
LEASE_S = 2
SOON_MS = 60_000
WAITING = "No connection to the service"


class Mortal:
    """A service of its own that is killed and comes back under the same address."""

    def __init__(self, folder: Path, browser: Browser, **settings: Any) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.settings = settings | {"port": free.getsockname()[1]}
        self.folder, self.browser = folder, browser
        self.server = self._make()

    def _make(self) -> LiveServer:
        return LiveServer(self.folder, **self.settings)

    def count_people(self, **fields: str) -> int:
        with MongoClient[dict[str, Any]](self.settings["mongo_uri"]) as client:
            return client.get_default_database()["users"].count_documents(fields)

    async def start(self) -> None:
        await asyncio.to_thread(self.server.wait_until_ready)

    async def kill(self, page: Page) -> None:
        self.server.stop(signal.SIGKILL)
        await expect(page.get_by_text(WAITING)).to_be_visible(timeout=SOON_MS)

    async def come_back(self, page: Page) -> None:
        self.server = self._make()
        await self.start()
        await expect(page.get_by_text(WAITING)).to_be_hidden(timeout=SOON_MS)


@pytest.fixture
async def mortal(
    browser: Browser, mongo_server: MongoServer, redis_server: RedisServer, tmp_path: Path
) -> AsyncIterator[Mortal]:
    uris = {
        "mongo_uri": mongo_server.uri_of(f"killed-{tmp_path.name}"),
        "redis_url": redis_server.url.removesuffix("/0") + "/6",
    }
    admin = {"admin_email": ADMIN, "admin_password": PASSWORD}
    service = Mortal(tmp_path, browser, job_lease_s=LEASE_S, **uris, **admin)
    await service.start()
    yield service
    service.server.stop()


async def test_an_edit_outlives_the_server(mortal: Mortal) -> None:
    door = Door(mortal.server, mortal.browser)
    with door.api() as http:
        person = http.post("/users", json={"name": "Ida Lund", "email": "ida@example.com"}).json()
    async with door.visit(f"/people/{person['id']}", signed_in=False) as page:
        await sign_in(page)
        await page.get_by_role("button", name="Edit", exact=True).click()
        await page.get_by_label("Title").fill("Keeper")
        await page.get_by_label("Department").fill("Lighthouses")
        mortal.server.stop(signal.SIGKILL)
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_text(WAITING)).to_be_visible()
        await expect(page.get_by_label("Title")).to_have_value("Keeper")
        await mortal.come_back(page)
        await expect(page.locator("form")).to_have_count(0, timeout=SOON_MS)
    with Door(mortal.server, mortal.browser).api() as http:
        stored = http.get(f"/users/{person['id']}").json()
    assert (stored["profile"]["title"], stored["version"]) == ("Keeper", person["version"] + 1)


async def test_an_import_and_a_bulk_change_outlive_the_server_and_do_each_row_once(mortal: Mortal) -> None:
    lines = [f"row-{number}@example.com,Row {number}" for number in range(ROWS)]
    file = FilePayload(
        name="many.csv", mimeType="text/csv", buffer="\n".join(["email,name", *lines]).encode()
    )
    door = Door(mortal.server, mortal.browser)
    async with door.visit("/imports", signed_in=False) as page:
        await sign_in(page)
        await page.get_by_label("Drop a file of people").set_input_files(file)
        await page.get_by_role("button", name=f"Apply {ROWS:,} changes").click(timeout=SOON_MS)
        await expect(page.get_by_role("progressbar")).to_be_visible()
        await mortal.kill(page)
        assert 0 < mortal.count_people() <= ROWS
        await mortal.come_back(page)
        await expect(page.get_by_role("link", name=f"Created {ROWS:,}")).to_be_visible(timeout=SOON_MS)
        assert Door(mortal.server, mortal.browser).count() == ROWS + 1
        await _change_all(mortal, page)


async def _change_all(mortal: Mortal, page: Page) -> None:
    """A bulk change of them all, in whose midst the server is killed once more."""
    change = {"action": "add_tags", "tags": ["moved"]}
    with Door(mortal.server, mortal.browser).api() as http:
        body = {"filter": {"is_active": True}, "change": change}
        plan = http.post("/users:bulk", json=body, headers={"Prefer": "wait=30"}).raise_for_status().json()
    await page.goto(f"{mortal.server.url}/console/bulk/{plan['id']}")
    await page.get_by_role("button", name=f"Apply {ROWS + 1:,} changes").click(timeout=SOON_MS)
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await mortal.kill(page)
    assert mortal.count_people(tags="moved") <= ROWS
    await mortal.come_back(page)
    await expect(page.locator("h1 + span")).to_have_text("Applied", timeout=SOON_MS)
    assert Door(mortal.server, mortal.browser).count(tag="moved") == ROWS + 1
