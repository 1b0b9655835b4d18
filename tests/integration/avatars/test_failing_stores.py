"""The store fails in the middle of a picture: a clear 503, the last picture stays, none is half there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.files import Files
from tests.support.jobs import backends
from tests.support.pictures import encode, halves, upload
from tests.support.servers import S3Server
from tests.support.users import create, database, problem, read

ANSWERS = {
    "killed": b"",
    "killed in its answer": b"HTTP/1.1 200 OK\r\nContent-Le",
    "frozen": None,
    "slow down": b"HTTP/1.1 503 Slow Down\r\nContent-Length: 36\r\n\r\n<Error><Code>SlowDown</Code></Error>",
    "full": b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\n\r\n",
}
"""What a store answers to a request of which it has read the beginning; it closes the connection then."""


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[str]:
    """The address of such a store."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await over.wait()
        writer.write(answer or b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        over.set()


def use(client: httpx.AsyncClient, patch: pytest.MonkeyPatch, **settings: Any) -> None:
    """Let pictures lie where these settings say."""
    opened = backends(client)
    files = Files(opened.connections.database, opened.settings.model_copy(update=settings))
    patch.setattr(opened.avatars, "_files", files)


async def count_files(client: httpx.AsyncClient) -> int:
    whole = {"length": {"$exists": True}}
    return int(await database(client)["avatar_files.files"].count_documents(whole))


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_store_that_fails_in_the_middle_of_a_picture_is_503_and_changes_nothing(
    shared: httpx.AsyncClient, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    use(shared, monkeypatch, **s3_server.settings)
    user = await create(shared)
    path = await upload(shared, user)
    before, count = await read(shared, user), await count_files(shared)
    async with answering(ANSWERS[answer]) as endpoint:
        use(
            shared,
            monkeypatch,
            **s3_server.settings | {"files_endpoint": endpoint, "files_timeout_ms": 300},
        )
        content = encode(halves(), "PNG")
        uploaded = await shared.put(
            f"/users/{user['id']}/avatar", content=content, headers={"Content-Type": "image/png"}
        )
        for reply in (uploaded, await shared.get(path)):
            problem(reply, 503, "unavailable")
            assert reply.headers["retry-after"] == "5"
    assert await read(shared, user) == before
    assert await count_files(shared) == count
    use(shared, monkeypatch, **s3_server.settings)
    assert (await shared.get(path)).status_code == 200
    avatars = database(shared)["avatars"]
    await avatars.update_many({}, {"$set": {"checked_at": datetime.fromtimestamp(0, UTC)}})
    assert await backends(shared).avatars.sweep() == 1
    assert await avatars.count_documents({}) == count
