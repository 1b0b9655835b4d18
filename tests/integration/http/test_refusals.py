"""What the HTTP server refuses before the application is asked: problems like any other, then it hangs up."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from app.commands.http_protocol import LONGEST_HEAD, BoundedHttp

PATIENCE_S = 30
HOST = b"Host: localhost\r\n"
ALIVE = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
REGISTER = b"POST /auth/register HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = REGISTER + b"Transfer-Encoding: chunked\r\n\r\n"
LONG = b"x" * 5 * LONGEST_HEAD  # more than comes in one piece, of which a request may be

Ask = Callable[..., Awaitable[bytes]]
_LENGTH = re.compile(rb"content-length: ([0-9]+)")


@pytest.fixture
async def ask(shared: httpx.AsyncClient) -> AsyncIterator[Ask]:
    """Sends pieces on a socket; what the service answers, up to the reply that says it hangs up."""
    app = shared.app  # type: ignore[attr-defined]  # set by `serving`
    config = uvicorn.Config(app, log_config=None, lifespan="off", proxy_headers=False)
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedHttp(config, ServerState(), {}), "127.0.0.1", 0
    )

    async def send(*pieces: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            answer = b""
            while b"connection: close" not in answer:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0 if pieces[0].startswith(b"HEAD ") else int(_LENGTH.findall(head)[0])
                answer += head + await reader.readexactly(length)
            writer.close()
            return answer

    async with server:
        yield send


def refusal(answer: bytes, status: int, code: str) -> dict[str, Any]:
    """The one reply's problem, with all the headers of any other."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    content: dict[str, Any] = json.loads(body)
    assert first.split()[:2] == ["HTTP/1.1", str(status)], answer[:300]
    assert (content["status"], content["code"]) == (status, code), content
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert content["request_id"] == headers["x-request-id"]
    return content


@pytest.mark.parametrize(
    ("pieces", "status", "code"),
    [
        ([b"FOO /users HTTP/1.1\r\n" + HOST + b"\r\n"], 501, "not_implemented"),
        ([b"get /users HTTP/1.1\r\n" + HOST + b"\r\n"], 501, "not_implemented"),
        ([b"FO"], 501, "not_implemented"),
        ([b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n"], 501, "not_implemented"),
        ([b"DESCRIBE /users HTTP/1.1\r\n" + HOST + b"\r\n"], 501, "not_implemented"),
        ([REGISTER + b"Transfer-Encoding: gzip\r\n\r\n"], 501, "not_implemented"),
        ([b"GET /users HTTP/3.0\r\n" + HOST + b"\r\n"], 505, "http_version_not_supported"),
        ([b"GET /users HTTP/2.0\r\n" + HOST + b"\r\n"], 505, "http_version_not_supported"),
        ([b"GET /users\r\n\r\n"], 505, "http_version_not_supported"),
        ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], 505, "http_version_not_supported"),
        ([b"\x16\x03\x01\x02\x00\x01"], 400, "malformed_request"),
        ([b"GET /users?q=Zo\xc3\xab HTTP/1.1\r\n" + HOST + b"\r\n"], 400, "malformed_request"),
        ([b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n"], 400, "malformed_request"),
        ([b"GET http:///x HTTP/1.1\r\n" + HOST + b"\r\n"], 400, "malformed_request"),
        ([b"GET /users HTTP/1.1\r\nBad Name: x\r\n\r\n"], 400, "malformed_request"),
        ([REGISTER + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"], 400, "malformed_request"),
        ([REGISTER + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"], 400, "malformed_request"),
        ([REGISTER + b"Content-Length: -1\r\n\r\n"], 400, "malformed_request"),
        ([CHUNKED + b"no size\r\n"], 400, "malformed_request"),
        ([CHUNKED, b"1\r\n{\r\n", b"no size\r\n"], 400, "malformed_request"),
        ([b"GET /" + LONG + b" HTTP/1.1\r\n" + HOST + b"\r\n"], 414, "uri_too_long"),
        ([b"GET /users?q=", LONG], 414, "uri_too_long"),
        ([b"GET /users HTTP/1.1\r\nX: ", LONG], 431, "headers_too_large"),
        ([b"GET /users HTTP/1.1\r\n", *[b"X%d: y\r\n" % number for number in range(9_000)]], 431,
         "headers_too_large"),
        ([CHUNKED, b"0\r\nX: ", LONG], 431, "headers_too_large"),
        ([b"\r\n" * LONGEST_HEAD], 431, "headers_too_large"),
    ],
)  # fmt: skip
async def test_each_refusal_is_a_problem_with_its_status(
    ask: Ask, pieces: list[bytes], status: int, code: str
) -> None:
    content = refusal(await ask(*pieces), status, code)
    assert "x" * 50 not in content["detail"]


async def test_a_refusal_carries_the_request_id_that_was_read_before_it(ask: Ask) -> None:
    answer = await ask(b"GET / HTTP/1.1\r\nX-Request-ID: mine-7\r\n" + HOST + b"Bad Name: x\r\n\r\n")
    assert refusal(answer, 400, "malformed_request")["request_id"] == "mine-7"


async def test_a_refusal_is_in_the_language_that_was_read_before_it(ask: Ask) -> None:
    answer = await ask(b"GET / HTTP/1.1\r\nAccept-Language: zh\r\n" + HOST + b"Bad Name: x\r\n\r\n")
    assert refusal(answer, 400, "malformed_request")["title"] == "请求不是正确的 HTTP"
    assert b"\r\ncontent-language: zh-Hans\r\nvary: Accept-Language\r\n" in answer


async def test_a_refusal_of_head_has_no_body(ask: Ask) -> None:
    answer = await ask(b"HEAD http:///x HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\n")


async def test_a_refusal_waits_for_the_replies_of_the_requests_before_it(ask: Ask) -> None:
    for pieces in ([ALIVE * 3 + b"FOO / HTTP/1.1\r\n"], [ALIVE, ALIVE, ALIVE, b"FOO / HTTP/1.1\r\n"]):
        answer = await ask(*pieces)
        assert answer.count(b"HTTP/1.1 200 ") == 3
        refusal(answer[answer.index(b"HTTP/1.1 501 ") :], 501, "not_implemented")


async def test_a_method_that_http_knows_and_no_path_takes_is_405(ask: Ask) -> None:
    for method in (b"PROPFIND", b"TRACE", b"QUERY"):
        answer = await ask(method + b" /users HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        refusal(answer, 405, "method_not_allowed")
