"""Clients who ask one thing after the other, at full speed, and what failed: wrk, or httpx.

Those of `benchmarks.load` end at the first failure, since their ratios would mean nothing. These go on, and
connect again where the server has said that it closes.
"""

import asyncio
import contextlib
import re
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from tests.support.live import PATIENCE_S, LiveServer

CONNECTIONS = 16
_WAITS_S = 10
"""How long wrk waits for a reply until it counts an error."""


@dataclass(slots=True)
class Outcome:
    """How many were answered, and what failed, by kind: an answer that is not 2xx is in both."""

    by: str
    answered: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        failed = ", ".join(f"{count} {kind}" for kind, count in self.failures.items() if count)
        return f"{self.answered:,} requests of {self.by}; failed: {failed or 'none'}"


@contextlib.asynccontextmanager
async def reading(server: LiveServer, path: str) -> AsyncIterator[Outcome]:
    """By wrk, where it is installed. The outcome is known at the end."""
    if shutil.which("wrk"):
        clients = _running_wrk(server, path)
    else:
        print("wrk is not installed (Debian: apt install wrk): clients of httpx read instead.", flush=True)
        clients = asking(server, lambda client: client.get(path))
    async with clients as outcome:
        yield outcome


@contextlib.asynccontextmanager
async def asking(
    server: LiveServer, ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
) -> AsyncIterator[Outcome]:
    """Each on a connection that it keeps as long as it may; what was asked is answered at the end."""
    outcome = Outcome(f"httpx {httpx.__version__}")
    stopped = asyncio.Event()

    async def ask_on() -> None:
        async with httpx.AsyncClient(
            base_url=server.url, headers=server.headers, timeout=PATIENCE_S
        ) as client:
            while not stopped.is_set():
                await _count(ask(client), outcome)

    async with asyncio.TaskGroup() as clients:
        for _ in range(CONNECTIONS):
            clients.create_task(ask_on())
        try:
            yield outcome
        finally:
            stopped.set()


async def _count(asked: Awaitable[httpx.Response], outcome: Outcome) -> None:
    try:
        reply = await asked
    except httpx.HTTPError as error:
        outcome.failures[type(error).__name__] += 1
        return
    outcome.answered += 1
    if not reply.is_success:
        outcome.failures[str(reply.status_code)] += 1


@contextlib.asynccontextmanager
async def _running_wrk(server: LiveServer, path: str) -> AsyncIterator[Outcome]:
    process = await asyncio.create_subprocess_exec(
        *("wrk", "--threads", "2", "--connections", str(CONNECTIONS), "--timeout", f"{_WAITS_S}s"),
        *("--duration", "1h", "--header", f"Authorization: Bearer {server.token}", f"{server.url}{path}"),
        stdout=asyncio.subprocess.PIPE,
    )
    outcome = Outcome("wrk")
    try:
        yield outcome
    finally:
        process.send_signal(signal.SIGINT)  # upon which it tells
        told, _ = await process.communicate()
        _read(told.decode(), outcome)


def _read(told: str, outcome: Outcome) -> None:
    """What wrk told. Of failures it says nothing where there were none."""
    requests = re.search(r"(\d+) requests in ", told)
    assert requests, told
    outcome.answered = int(requests[1])
    errors = re.search(r"Socket errors: (.*)", told)
    for kind, count in re.findall(r"(\w+) (\d+)", errors[1] if errors else ""):
        outcome.failures[kind] = int(count)
    if refused := re.search(r"Non-2xx or 3xx responses: (\d+)", told):
        outcome.failures["not 2xx"] = int(refused[1])
