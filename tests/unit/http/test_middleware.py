import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from typing import Any

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from app.http.middleware import BodyLimit, RequestContext
from app.monitoring.logs import REQUEST_ID
from tests.support.small_app import client_of, make_app

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def requests(lines: Lines) -> Lines:
    return [line for line in lines if line["event"] == "request"]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  (what is waited for has no event)
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[tuple[str, int]]:
    """`app` on a real uvicorn on loopback; yields host and port."""
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[:2]
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def talking_to(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        yield client


async def test_each_request_is_one_line_with_the_template_of_its_route(lines: Lines) -> None:
    async with client_of(make_app()) as client:
        response = await client.get("/v2/users/ana@example.com?email=ana@example.com")
    (line,) = lines
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "/v2/users/{user_id}",
        "status": 404,
        "bytes": len(response.content),
        "complete": True,
    }


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere/ana@example.com"])
async def test_a_path_without_a_route_is_not_logged(path: str, lines: Lines) -> None:
    async with client_of(make_app()) as client:
        await client.get(path)
    assert [line["route"] for line in lines] == [None]


async def test_a_fit_request_id_is_kept_and_an_unfit_one_replaced() -> None:
    async with client_of(make_app()) as client:
        kept = await client.get("/users/1", headers={"x-request-id": "Abc.1_2-3"})
        assert kept.headers["x-request-id"] == kept.json()["request_id"] == "Abc.1_2-3"
        made = set()
        for unfit in ("", "a b", "a\u00e9", "x" * 65, "a;b"):
            response = await client.get("/users/1", headers=[(b"x-request-id", unfit.encode())])
            assert re.fullmatch("[0-9a-f]{16}", response.headers["x-request-id"])
            made.add(response.headers["x-request-id"])
    assert len(made) == 5


async def test_every_reply_forbids_sniffing_and_storing_unless_it_says_otherwise() -> None:
    async with client_of(make_app()) as client:
        for path in ("/users", "/nowhere", "/broken", "/stream"):
            headers = (await client.get(path)).headers
            assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
        assert (await client.get("/docs/favicon.png")).headers.get_list("cache-control") == [
            "public, max-age=86400"
        ]


async def test_every_reply_tells_browsers_to_be_careful_and_pages_bring_their_own_policy() -> None:
    async with client_of(make_app()) as client:
        for path in ("/users", "/nowhere", "/broken", "/stream", "/docs"):
            headers = (await client.get(path)).headers
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers.get("cross-origin-opener-policy") == (None if path == "/docs" else "same-origin")
            assert headers["cross-origin-resource-policy"] == "same-origin"
            (policy,) = headers.get_list("content-security-policy")
            assert policy.startswith("default-src 'none'; ")
            assert policy.endswith("frame-ancestors 'none'")
            assert ("script-src" in policy) == (path == "/docs")
            assert "strict-transport-security" not in headers


async def test_a_service_that_is_reached_by_tls_says_so() -> None:
    async with client_of(FastAPI()) as client:
        client._transport = httpx.ASGITransport(RequestContext(make_app(), tls=True))
        assert (await client.get("/users")).headers["strict-transport-security"] == "max-age=31536000"


async def test_a_reply_says_how_long_it_took_but_not_how_long_a_sign_in_did() -> None:
    async with client_of(make_app()) as client:
        assert re.fullmatch(r"app;dur=\d+\.\d", (await client.get("/users")).headers["server-timing"])
        assert "server-timing" not in (await client.post("/auth/token")).headers


async def test_an_unforeseen_error_is_logged_once_with_its_traceback(lines: Lines) -> None:
    async with client_of(make_app()) as client:
        response = await client.get("/broken")
    assert response.status_code == 500
    first, second = lines
    assert (first["event"], str(first["exc_info"])) == (
        "internal_error",
        "the secret plan of ana@example.com",
    )
    assert (second["event"], second["status"], second["error"]) == ("request", 500, "RuntimeError")


async def test_an_error_after_the_first_byte_breaks_the_transfer(lines: Lines) -> None:
    async with talking_to(make_app()) as client:
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            await client.get("/stream?fail=true")
        assert (await client.get("/stream")).text == "row\r\n" * 3
    broken, whole = requests(lines)
    assert (broken["status"], broken["complete"], broken["error"]) == (200, False, "RuntimeError")
    assert (whole["status"], whole["complete"], whole["bytes"]) == (200, True, 15)


async def test_a_client_that_hangs_up_is_said_so(lines: Lines) -> None:
    async def endless(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"row", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving(RequestContext(endless)) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: roster\r\n\r\n")
        assert b"200" in await reader.readline()
        writer.close()
        await until(lambda: requests(lines))
    (line,) = requests(lines)
    assert (line["status"], line["complete"], line["ended_by"]) == (200, False, "client")


async def test_a_cancelled_request_is_logged_too(lines: Lines) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.Event().wait()

    async with client_of(FastAPI()) as client:
        client._transport = httpx.ASGITransport(RequestContext(stuck))
        task = asyncio.create_task(client.get("/"))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [(line["status"], line["complete"]) for line in lines] == [(None, False)]


async def test_a_bare_application_gets_the_last_resort_500_too() -> None:
    async def broken(scope: Scope, *_: object) -> None:
        assert REQUEST_ID.get() == "abc"
        raise ValueError(scope["path"])

    async with client_of(FastAPI()) as client:
        client._transport = httpx.ASGITransport(RequestContext(broken))
        response = await client.get("/", headers={"x-request-id": "abc"})
    assert (response.status_code, response.json()["request_id"]) == (500, "abc")


async def test_other_protocols_pass_untouched() -> None:
    seen = []

    async def app(scope: Scope, *_: object) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any: ...

    await RequestContext(BodyLimit(app))({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]


@pytest.mark.parametrize("path", ["/users", "/users/1", "/stream", "/docs", "/nowhere", "/health/live"])
async def test_head_has_the_headers_of_get_and_no_body(path: str, lines: Lines) -> None:
    async with client_of(make_app()) as client:
        head, get = await client.head(path), await client.get(path)
    volatile = {"x-request-id", "server-timing"}
    assert head.status_code == get.status_code
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in get.headers.items() if k not in volatile
    }
    assert head.content == b""
    logged = [(line["method"], line["route"], line["bytes"], line["complete"]) for line in lines]
    assert logged == [
        ("HEAD", lines[1]["route"], 0, True),
        ("GET", lines[1]["route"], len(get.content), True),
    ]


async def test_head_on_a_real_server_keeps_the_connection_and_stops_a_stream() -> None:
    async with talking_to(make_app()) as client:
        for path in ("/stream?fail=true", "/users", "/stream"):
            response = await client.head(path)
            assert (response.status_code, response.content) == (200, b"")


async def test_head_of_a_broken_handler_is_500() -> None:
    async with client_of(make_app()) as client:
        assert (await client.head("/broken")).status_code == 500


def too_large(response: httpx.Response, limit: int) -> None:
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert response.json()["detail"] == f"The body may have at most {limit} bytes."
    assert response.headers["connection"] == "close"
    assert response.headers["x-request-id"] == response.json()["request_id"]


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


JSON = {"content-type": "application/json"}


async def test_a_body_announced_as_too_large_is_refused_and_the_answer_arrives() -> None:
    async with talking_to(make_app()) as client:
        too_large(await client.post("/users", content=b" " * 10_001, headers=JSON), 10_000)
        too_large(await client.post("/users", content=b" " * 20_000_000, headers=JSON), 10_000)
        too_large(await client.post("/nowhere", content=b" " * 10_001), 10_000)
        assert (await client.post("/users", content=b" " * 10_000, headers=JSON)).status_code == 400


async def test_a_chunked_body_is_refused_where_it_becomes_too_large() -> None:
    async with talking_to(make_app()) as client:
        too_large(await client.post("/users", content=chunks(11_000), headers=JSON), 10_000)
        too_large(await client.post("/users", content=chunks(2_000_000), headers=JSON), 10_000)
        assert (await client.post("/users", content=chunks(10_000), headers=JSON)).status_code == 400


async def test_a_path_may_have_a_limit_of_its_own() -> None:
    async with client_of(make_app()) as client:
        ample = b'{"operations": []' + b" " * 20_000 + b"}"
        assert (await client.post("/users:batch", content=ample, headers=JSON)).json() == 0
        too_large(await client.post("/users:batch", content=b" " * 4_000_001, headers=JSON), 4_000_000)


@pytest.mark.parametrize("length", ["-1", "+1", "1_0", "ten", "", "1, 1", "9" * 30])
async def test_a_content_length_that_is_no_number_is_400(length: str) -> None:
    async with client_of(make_app()) as client:
        response = await client.post("/users", content=b"{}", headers={**JSON, "content-length": length})
    assert (response.status_code, response.json()["code"]) == (400, "malformed_request")


async def test_a_body_that_grows_too_large_after_the_reply_began_breaks_the_transfer() -> None:
    async def echo(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (message := await receive()).get("more_body"):
            await send({"type": "http.response.body", "body": message["body"], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with talking_to(RequestContext(BodyLimit(echo, default=5_000))) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post("/", content=chunks(200_000))


async def test_a_handler_that_swallows_the_refusal_cannot_answer_200() -> None:
    async def careless(_: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(Exception):
            while (await receive()).get("more_body"):
                pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

    async with client_of(FastAPI()) as client:
        client._transport = httpx.ASGITransport(BodyLimit(careless, default=5_000))
        assert (await client.post("/", content=chunks(10_000))).status_code == 413


async def test_a_client_that_never_sends_its_large_body_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.http.middleware.LINGER_S", 0.01)
    sent: list[Message] = []

    async def silence() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"9999999")]}
    await BodyLimit(FastAPI())(scope, silence, send)
    assert [message.get("status", message.get("more_body")) for message in sent] == [413, True, False]
