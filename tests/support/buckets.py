"""Buckets that fail: what their stores answer, and the files of an app that has such a bucket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app.files import Files
from tests.support.jobs import backends


def refusal(status: str, code: str) -> bytes:
    """An answer of S3 that names its reason."""
    body = f"<Error><Code>{code}</Code><Message>the-key of someone</Message></Error>"
    return f"{status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


ANSWERS = {
    "slow_down": refusal("503 Slow Down", "SlowDown"),
    "error": b"500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "full": b"507 Insufficient Storage\r\nContent-Length: 0\r\n\r\n",
    "over_quota": refusal("403 Forbidden", "QuotaExceeded"),
}
"""Of a store that may do it later."""


def using(client: httpx.AsyncClient, **settings: Any) -> Files:
    """The files of an app, had it these settings."""
    opened = backends(client)
    return Files(opened.connections.database, opened.settings.model_copy(update=settings))


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """The address of a store that answers everything so, and closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
