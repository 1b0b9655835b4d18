"""What the tests of jobs share."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest

from app import worker
from app.container import Container
from app.jobs import Jobs, Run
from tests.support.users import NOBODY

Handler = Callable[[Container, Run], Awaitable[None]]
Start = Callable[..., Awaitable[httpx.AsyncClient]]
ENDED = ("succeeded", "failed", "cancelled")


def backends(client: httpx.AsyncClient) -> Container:
    found: Container = client.app.state.container  # type: ignore[attr-defined]  # the handle of `serving`
    return found


def jobs_of(client: httpx.AsyncClient) -> Jobs:
    return backends(client).jobs


async def submit(client: httpx.AsyncClient, subject: str = "subject", **more: Any) -> str:
    """A job of somebody else's, whose kind the test gives a handler."""
    job = await jobs_of(client).submit("export", subject, **{"result": None, "by": NOBODY} | more)
    return str(job.id)


def handle(monkeypatch: pytest.MonkeyPatch, handler: Handler) -> None:
    """Let every worker that starts from now on do this."""
    monkeypatch.setattr(worker, "HANDLERS", {"export": handler})


async def export(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    """The manifest of an export, waited for."""
    reply = await client.post("/users/exports", json={"format": "csv"} | asked, headers={"Prefer": "wait=30"})
    assert reply.status_code == 201, reply.text
    return cast("dict[str, Any]", reply.json())
