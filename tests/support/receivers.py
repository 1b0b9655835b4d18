"""Receivers of webhooks on loopback, which answer as a test says and note what they were sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.support.events import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Received:
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


Answer = Callable[[Received], web.Response]


@dataclass(slots=True)
class Receiver:
    url: str = ""
    answer: Answer = field(default=lambda _received: web.Response(status=204))
    received: list[Received] = field(default_factory=list)
    hangs: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing is answered until it is set, as it is at first."""
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        got = Received(dict(request.headers), await request.read())
        self.received.append(got)
        async with self.news:
            self.news.notify_all()
        await self.hangs.wait()
        return self.answer(got)

    async def wait(self, count: int) -> list[Received]:
        """So many messages, waited for."""
        async with asyncio.timeout(PATIENCE_S), self.news:
            await self.news.wait_for(lambda: len(self.received) >= count)
        return self.received


@asynccontextmanager
async def receiving(answer: Answer | None = None, *, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.hangs.set()
    if answer is not None:
        receiver.answer = answer
    app = web.Application()
    app.router.add_post("/{rest:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://{host if ':' not in host else f'[{host}]'}:{port}/hook"
    try:
        yield receiver
    finally:
        receiver.hangs.set()
        await runner.cleanup()
