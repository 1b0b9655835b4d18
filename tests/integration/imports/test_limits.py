"""Uploads against the limits of a small server, and plans that nobody makes."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from app.imports.submitting import UPLOADS
from tests.support.api import serving
from tests.support.imports import CSV, upload
from tests.support.users import problem

LIMIT = 2_000


@pytest.fixture
async def small(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """It works on no jobs and has room for one upload."""
    async with serving(mongo_uri, redis_url, import_max_bytes=LIMIT) as client:
        for _ in range(UPLOADS - 1):
            await client.app.state.container.imports.receiving.acquire()  # type: ignore[attr-defined]  # set by `serving`
        yield client


async def test_a_file_over_the_limit_is_refused_however_it_comes(small: httpx.AsyncClient) -> None:
    big = b"email\n" + b"x" * LIMIT
    said = problem(await upload(small, big), 413, "body_too_large")
    assert said["detail"] == f"The file may have at most {LIMIT} bytes."
    problem(await small.post("/users/import", files={"file": big}), 413, "body_too_large")
    problem(await upload(small, b"x" * (LIMIT + 300_000)), 413, "body_too_large")
    fits = b"email\n" + b"a@example.com\n" * ((LIMIT - 6) // 14)
    assert (await upload(small, fits, Prefer="wait=0")).status_code == 202


async def test_more_uploads_than_are_allowed_wait_for_their_turn_elsewhere(
    small: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"email\n"
        began.set()
        await go_on.wait()
        yield b"a@example.com\n"

    headers = {"Content-Type": CSV, "Prefer": "wait=0"}
    first = asyncio.create_task(small.post("/users/import", content=slow(), headers=headers))
    await began.wait()
    reply = await upload(small, b"email\nb@example.com\n", Prefer="wait=0")
    problem(reply, 503, "too_many_imports")
    assert int(reply.headers["retry-after"]) >= 1
    go_on.set()
    assert (await first).status_code == 202
    monkeypatch.setattr("app.imports.uploads.STALLED_S", 0.05)
    go_on.clear()
    problem(await small.post("/users/import", content=slow(), headers=headers), 408, "upload_stalled")
    assert not small.app.state.container.imports.receiving.locked()  # type: ignore[attr-defined]  # set by `serving`


async def test_a_plan_that_waits_can_be_cancelled_or_deleted(small: httpx.AsyncClient) -> None:
    reply = await upload(small, b"email\na@example.com\n", Prefer="wait=0")
    found = reply.json()
    path = f"/users/imports/{found['id']}"
    problem(await small.get(f"{path}/rows.xlsx"), 409, "import_not_planned")
    assert (await small.post(f"/jobs/{found['plan_job']}/cancel")).status_code == 200
    assert (await small.get(path)).json()["state"] == "cancelled"
    assert [each["state"] for each in (await small.get("/users/imports")).json()["items"]] == ["cancelled"]
    other = (await upload(small, b"email\na@example.com\n", Prefer="wait=0")).json()
    assert (await small.delete(f"/users/imports/{other['id']}")).status_code == 204
    assert (await small.get(f"/jobs/{other['plan_job']}")).json()["state"] == "cancelled"
