"""The console in a real Chromium: who is signed in, how its pages are judged, what leaves the origin."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from PIL import Image, ImageChops
from playwright.async_api import Browser, BrowserContext, Page, Request, ViewportSize

from tests.support.live import LiveServer
from tools import browser

ADMIN: Final = "administrator@console.example.com"
PASSWORD: Final = "seven wet horses sing"
PICTURES: Final = browser.ROOT / "docs" / "images"
VIEWS: Final = re.findall(r"path: '(.+?)'", (browser.ROOT / "app/console/static/views.js").read_text())
"""The paths of all views."""
_NARROW: Final = ViewportSize(width=320, height=640)
_WIDE: Final = ViewportSize(width=1280, height=800)
_COLOURS, _PLAINLY, _OF_TIMES = 128, 48, 0.01
"""Of pictures: their palette, how far a pixel is from another, and the share that times of day may change."""
_TRIES, _PAUSE_MS = 250, 20
_AXE: Final = browser.AXE.read_text() if browser.AXE.exists() else ""


@dataclass
class Door:
    """The service that the console is of, and the browser in which it is shown."""

    server: LiveServer
    browser: Browser
    state: Any = None
    """Cookies of an administrator who is signed in."""
    strayed: list[str] = field(default_factory=list)
    """Requests that left the origin."""

    @property
    def url(self) -> str:
        return self.server.url

    def api(self) -> httpx.Client:
        """With a token that has all scopes."""
        return self.server.client()

    def administrator(self) -> httpx.Client:
        """With a token of the administrator who is signed in."""
        token = self.server.sign_in(ADMIN, PASSWORD).raise_for_status().json()["access_token"]
        return self.server.client(headers={"Authorization": f"Bearer {token}"})

    def find(self, **filters: str) -> dict[str, Any]:
        """The first person of the listing."""
        with self.api() as http:
            found: dict[str, Any] = http.get("/users", params=filters).raise_for_status().json()["items"][0]
            return found

    def count(self, **filters: str) -> int:
        """How many people the filters find, exactly."""
        with self.api() as http:
            found = http.get("/users", params=filters | {"count": "exact", "limit": "1"}).json()
            return int(found["total"]["value"])

    @asynccontextmanager
    async def visit(self, place: str = "", *, signed_in: bool = True, **options: Any) -> AsyncIterator[Page]:
        """A browser window of its own at a place of the console; `options` are those of `new_context`."""
        usual: dict[str, Any] = {"viewport": _WIDE, "storage_state": self.state if signed_in else None}
        context = await self.browser.new_context(**(usual | options))
        try:
            yield await self._open(context, place)
        finally:
            await context.close()

    async def _open(self, context: BrowserContext, place: str) -> Page:
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", self._watch)
        page.on("pageerror", lambda error: self.strayed.append(f"error on the page: {error}"))
        await page.goto(f"{self.url}/console{place}")
        return page

    def _watch(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts[:2] != urlsplit(self.url)[:2]:
            self.strayed.append(request.url)


async def sign_in(page: Page, name: str = ADMIN, password: str = PASSWORD) -> None:
    """Fill in the page of the sign-in, and be back in the console."""
    await page.fill("input[name=username]", name)
    await page.fill("input[name=password]", password)
    await page.click("main button")
    await page.wait_for_selector("#view h1")


async def judge(page: Page, without: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds in both themes, and whether the page is wider than a window of 320 pixels."""
    await page.evaluate(_AXE)
    wrong = browser.tell(await page.evaluate(browser.JUDGE, list(without)))
    dark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    await page.emulate_media(color_scheme="light" if dark else "dark")
    wrong += browser.tell(await page.evaluate(browser.JUDGE_COLOURS))
    before = page.viewport_size or _WIDE
    await page.set_viewport_size(_NARROW)
    wide = await page.evaluate(browser.IS_WIDE)
    await page.set_viewport_size(before)
    return [*wrong, *(["it scrolls sideways at 320 pixels"] if wide else [])]


async def settle(page: Page) -> None:
    """Wait until a view is there, and waits for nothing."""
    await page.wait_for_selector("#view h1")
    await page.wait_for_load_state("networkidle")


async def until(page: Page, script: str) -> None:
    """Wait until the script is true; playwright's own way would need `unsafe-eval`."""
    for _ in range(_TRIES):
        if await page.evaluate(script):
            return
        await page.wait_for_timeout(_PAUSE_MS)
    raise AssertionError(f"It did not come true: {script}")


async def shot(page: Page, name: str, folder: Path = PICTURES) -> None:
    """A picture of the page for the documentation; one that shows the same is left as it is."""
    taken = Image.open(BytesIO(await page.screenshot(animations="disabled"))).convert("RGB")
    path = folder / f"{name}.png"
    if not path.exists() or _differ(taken, Image.open(path).convert("RGB")) > _OF_TIMES:
        taken.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def _differ(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels that are plainly others."""
    if one.size != other.size:
        return 1
    grey = ImageChops.difference(one, other).convert("L")
    return sum(grey.histogram()[_PLAINLY:]) / (one.width * one.height)
