"""Replies gzipped: whole where they are whole, chunk by chunk where they stream, and none that is secret."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from app.http.compression import Compression
from app.http.middleware import HeadAsGet

ROWS = b'{"name":"Ana","email":"ana@example.com"},' * 100


async def whole(request: Request) -> Response:
    headers = dict(request.query_params)
    media_type = headers.pop("type", "application/json")
    size, status = int(headers.pop("size", len(ROWS))), int(headers.pop("status", 200))
    return Response((ROWS * 20)[:size], status, headers, media_type)


async def streamed(request: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        yield b""
        for _ in range(3):
            yield ROWS * int(request.query_params.get("times", 1))
        if "fail" in request.query_params:
            raise RuntimeError

    return StreamingResponse(chunks(), media_type=request.query_params.get("type", "text/csv"))


def app() -> Any:
    routes = [
        Route("/users", whole, methods=["GET", "POST"]),
        Route("/auth/keys", whole),
        Route("/stream", streamed),
    ]
    return HeadAsGet(Compression(Starlette(routes=routes)))


async def ask(path: str, accept: str = "gzip", method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://x") as client:
        return await client.request(method, path, headers={"Accept-Encoding": accept})


@pytest.mark.parametrize("size", [1_000, 4_000, 80_000])
async def test_a_reply_is_compressed_and_says_so(size: int) -> None:
    reply = await ask(f"/users?size={size}")
    assert reply.content == (ROWS * 20)[:size]
    assert (reply.headers["content-encoding"], reply.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(reply.headers["content-length"]) < size / 3
    head = await ask(f"/users?size={size}", method="HEAD")
    assert head.headers == reply.headers


@pytest.mark.parametrize("accept", ["", "br", "gzip;q=0", "gzip; q=0.0", "xgzip", "gzip;q=1.2.3"])
async def test_a_client_that_does_not_accept_it_gets_the_reply_plain(accept: str) -> None:
    reply = await ask("/users", accept)
    assert "content-encoding" not in reply.headers
    assert reply.headers["vary"] == "Accept-Encoding"
    assert reply.content == ROWS


@pytest.mark.parametrize("accept", ["gzip", "GZIP", "br, gzip;q=0.5", "deflate,gzip ; q=1.0 ,br"])
async def test_a_client_that_accepts_it_among_others_gets_it(accept: str) -> None:
    assert (await ask("/users", accept)).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "path",
    [
        "/users?size=999",
        "/users?etag=%223%22",
        "/users?accept-ranges=bytes",
        "/users?content-range=bytes",
        "/users?content-encoding=br",
        "/users?type=image/png",
        "/users?type=application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "/users?type=text/event-stream",
        "/users?status=304&size=0",
        "/auth/keys",
    ],
)
async def test_what_gains_nothing_or_must_not_be_is_left_as_it_is(path: str) -> None:
    reply = await ask(path)
    assert reply.headers.get("content-encoding", "br") == "br"
    assert "br" in reply.headers.get("content-encoding", "br")


async def test_an_answer_to_a_post_may_hold_a_token_and_is_left_as_it_is() -> None:
    assert "content-encoding" not in (await ask("/users", method="POST")).headers


async def stream(query: bytes, sent: list[Message]) -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"accept-encoding", b"gzip")]
    asked = {"method": "GET", "path": "/stream", "query_string": query, "headers": headers}
    await app()({"type": "http", **asked}, receive, send)


@pytest.mark.parametrize("times", [1, 10])
async def test_each_chunk_of_a_stream_can_be_read_when_it_was_written(times: int) -> None:
    sent: list[Message] = []
    await stream(b"times=%d" % times, sent)
    start, first, *chunks = sent
    assert (b"content-encoding", b"gzip") in start["headers"]
    assert (first["body"], first["more_body"]) == (b"", True)
    reader = zlib.decompressobj(31)
    assert [reader.decompress(chunk["body"]) for chunk in chunks] == [ROWS * times] * 3 + [b""]
    assert reader.eof


async def test_a_stream_that_breaks_is_not_ended() -> None:
    sent: list[Message] = []
    with pytest.raises((RuntimeError, ExceptionGroup)):
        await stream(b"fail=1", sent)
    assert sent[-1]["more_body"]
    with pytest.raises(EOFError):
        gzip.decompress(b"".join(message.get("body", b"") for message in sent))
