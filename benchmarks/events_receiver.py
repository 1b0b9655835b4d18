"""A receiver of webhooks that is killed and comes back, and what it makes of what it is told."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook


@dataclass(slots=True)
class Told:
    """What was posted, verified; a repeated event is one."""

    secret: str = ""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The ids of events as they came first, and when they came again out of turn, by user."""
    posts: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, within_s: float) -> None:
        """Until something is posted, or the time is over."""
        self.news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.news.wait()

    def note(self, headers: dict[str, str], body: bytes) -> None:
        event = Webhook(self.secret).verify(body.decode(), headers)
        self.posts += 1
        self.news.set()
        self.events[event["id"]] = event
        own = self.order[event["data"]["user"]]
        if not own or own[-1] != event["id"]:
            own.append(event["id"])

    @property
    def out_of_order(self) -> int:
        """Events that came after a later one of their user."""
        wrong = 0
        for ids in self.order.values():
            versions = [self._rank(event_id) for event_id in ids]
            wrong += sum(later <= earlier for earlier, later in pairwise(versions))
        return wrong

    def replay(self) -> dict[str, int]:
        """The version of each user who is there, by the events in their order."""
        found = {user: self.events[ids[-1]] for user, ids in self.order.items()}
        return {user: last["data"]["version"] for user, last in found.items() if last["data"]["version"]}

    def _rank(self, event_id: str) -> float:
        version = self.events[event_id]["data"]["version"]
        return float("inf") if version is None else version


class Receiver:
    """On one port, up or not."""

    def __init__(self, told: Told, port: int) -> None:
        self._told = told
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        self._told.note(dict(request.headers), await request.read())
        return web.Response(status=204)
