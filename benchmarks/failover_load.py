"""The writer and the reader of `make faults`, each at a fixed rate, whether they are answered or not."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

RATE = 50
DONE = 201
UNAVAILABLE = 503
_GOOD = 200
_CONFLICT = 409
_SETTLED_WITHIN_S = 30.0


@dataclass(slots=True)
class Asker:
    """A client that asks at a fixed rate; `good` are the answers that it hopes for."""

    good: int
    answers: Counter[int | str] = field(default_factory=Counter)
    answered_well: list[float] = field(default_factory=list)
    longest_wait_s: float = 0.0
    refused_again: int = 0
    """How many 503 there were once all was well, to what had been answered 503 before."""

    def count(self, status: int | str, begun: float) -> None:
        now = time.perf_counter()
        self.answers[status] += 1
        self.longest_wait_s = max(self.longest_wait_s, now - begun)
        if status == self.good:
            self.answered_well.append(now)

    def gap_s(self, since: float) -> float:
        """The longest time without a good answer."""
        times = [since, *(moment for moment in self.answered_well if moment > since)]
        return max((later - sooner for sooner, later in itertools.pairwise(times)), default=float("inf"))

    def is_calm(self, since: float) -> bool:
        """Whether good answers have come as they should for a while."""
        recent = [moment for moment in self.answered_well if moment > since]
        return len(recent) > 0.8 * RATE * (time.perf_counter() - since)

    @property
    def failures(self) -> dict[int | str, int]:
        """All that is neither good nor 503."""
        return {status: n for status, n in self.answers.items() if status not in {self.good, UNAVAILABLE}}


class Load:
    """The writer and the reader, and what they were told."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._asking: set[asyncio.Task[None]] = set()
        self._acknowledged: list[tuple[str, str]] = []
        """Ids, and the times at which they were written."""
        self.writer, self.reader = Asker(DONE), Asker(_GOOD)
        self.ages_s: list[int] = []
        """Of what secondaries answered."""
        self.stored: set[str] = set()
        """The addresses of which a 201 said that they are stored."""
        self.unknown: set[str] = set()
        """Those of which nobody knows."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All that was asked is answered at the end."""
        tickers = [asyncio.create_task(self._tick(ask)) for ask in (self._write, self._read)]
        try:
            yield
        finally:
            for ticker in tickers:
                ticker.cancel()
            await asyncio.gather(*tickers, return_exceptions=True)
            await asyncio.gather(*self._asking)

    async def settle(self) -> None:
        """Send again what was answered 503: done now, or found to be done."""
        for email in sorted(self.unknown):
            status = await self._send_again(email)
            if status in {DONE, _CONFLICT}:
                self.stored.add(email)
            else:
                self.writer.answers[f"{status} when sent again"] += 1

    async def _send_again(self, email: str) -> int:
        give_up = time.perf_counter() + _SETTLED_WITHIN_S
        while True:
            reply = await self._client.post("/users", json=person(email))
            if reply.status_code != UNAVAILABLE or time.perf_counter() > give_up:
                return reply.status_code
            self.writer.refused_again += 1
            await asyncio.sleep(int(reply.headers["Retry-After"]))

    async def _tick(self, ask: Any) -> None:
        begun = time.perf_counter()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            task = asyncio.create_task(ask())
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _write(self) -> None:
        email = f"{random.randbytes(8).hex()}@example.com"
        begun = time.perf_counter()
        status, reply = await _answer(self._client.post("/users", json=person(email)))
        self.writer.count(status, begun)
        if status == DONE and reply is not None:
            self.stored.add(email)
            self._acknowledged.append((reply.json()["id"], reply.headers["operation-time"]))
        else:
            self.unknown.add(email)

    async def _read(self) -> None:
        if not self._acknowledged:
            return
        begun = time.perf_counter()
        one, at = random.choice(self._acknowledged[-5 * RATE :])
        status, reply = await _answer(self._client.get(f"/users/{one}", headers={"Operation-Time": at}))
        self.reader.count(status, begun)
        if reply is not None and "data-age" in reply.headers:
            self.ages_s.append(int(reply.headers["data-age"]))


def person(email: str) -> dict[str, str]:
    """The body of `POST /users`."""
    return {"name": "Ana", "email": email}


async def _answer(
    asked: Coroutine[Any, Any, httpx.Response],
) -> tuple[int | str, httpx.Response | None]:
    try:
        reply = await asked
    except httpx.HTTPError as error:
        return type(error).__name__, None
    return reply.status_code, reply
