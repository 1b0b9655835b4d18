"""Requests at the door: let in, made to wait, refused; on sockets of the loopback."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from app.commands.http_protocol import BoundedHttp
from app.core.settings import Settings
from app.http.admission import Admission, find_kind
from app.http.page_errors import Browsed, OverloadPage
from app.pages import Pages

PATIENCE_S = 10
SLOTS = 4


class App:
    """An application whose requests hang until `go`; those of `/health/live` never do."""

    def __init__(self, browsed: Browsed | None = None, **settings: Any) -> None:
        self.go = asyncio.Event()
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.done: list[str] = []
        self.clients: list[Client] = []
        read = Settings(mongo_pool_size=SLOTS, **settings)
        self.state = SimpleNamespace(container=SimpleNamespace(settings=read))
        page = None
        if browsed is not None:
            self.state.pages = Pages(read)
            page = OverloadPage(cast("FastAPI", self), browsed)
        self.state.admission = Admission(read, page)

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        path = scope["path"]
        self.begun.append(path)
        try:
            if path != "/health/live":
                await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(path)
            raise
        self.done.append(path)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    def age_queues(self) -> None:
        """As if they had been standing for a minute, and all that is done took half a second."""
        for limiter in self.state.admission.limiters.values():
            limiter._stands_from -= 60
            limiter._limit.mean_s = 0.5


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, path: str = "/users", *, method: str = "GET", headers: str = "", body: str = "") -> None:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{length}{headers}\r\n{body}".encode())

    async def read(self, *, body: bool = True) -> tuple[int, dict[str, str], bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        first, *lines = head.decode().splitlines()[:-1]
        headers = dict(line.lower().split(": ", 1) for line in lines)
        length = int(headers.get("content-length", 0)) if body else 0
        return int(first.split()[1]), headers, await self.reader.readexactly(length)


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[int]:
    config = uvicorn.Config(app, log_config=None, proxy_headers=False)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        app.go.set()
        for client in app.clients:
            client.writer.close()
        await until(lambda: not state.connections and not state.tasks)


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 it is sockets that make it true
            await asyncio.sleep(0.001)


async def connect(app: App, port: int, address: str = "127.0.0.1") -> Client:
    client = Client(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))
    app.clients.append(client)
    return client


async def flood(app: App, port: int, *, path: str = "/users", waiting: int = 3) -> list[Client]:
    """Requests that take all slots, and others that wait, in a queue that stands."""
    clients = [await connect(app, port) for _ in range(SLOTS + waiting)]
    limiter = app.state.admission.limiters[find_kind("GET", path, b"")]
    for client in clients:
        client.send(path)
    await until(lambda: (limiter.in_service, limiter.waiting) == (SLOTS, waiting))
    app.age_queues()
    return clients


async def test_requests_that_cannot_be_served_in_time_are_refused_at_once_and_told_when_to_ask_again() -> (
    None
):
    async with serving(app := App()) as port:
        await flood(app, port)
        client = await connect(app, port)
        client.send("/users/1", headers="X-Request-ID: mine\r\n")
        status, headers, body = await client.read()
        problem = json.loads(body)
        assert (status, headers["retry-after"], headers["content-type"]) == (
            503,
            "1",
            "application/problem+json",
        )
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert (problem["code"], problem["status"], problem["request_id"]) == ("overloaded", 503, "mine")
        assert headers["x-request-id"] == "mine"
        client.send("/users/2")  # on the same connection
        _, headers, body = await client.read()
        assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"])
        assert json.loads(body)["request_id"] == headers["x-request-id"]
    assert "/users/1" not in app.begun


async def test_a_refusal_is_in_the_language_that_the_request_accepts() -> None:
    async with serving(app := App()) as port:
        await flood(app, port)
        client = await connect(app, port)
        for accepted, language, title in (
            ("zh-CN,zh;q=0.9", "zh-hans", "服务过载"),
            ("fr", "en", "The service is overloaded"),
        ):
            client.send("/users/1", headers=f"X-Request-ID: mine\r\nAccept-Language: {accepted}\r\n")
            status, headers, body = await client.read()
            assert (status, headers["content-language"], headers["vary"]) == (
                503,
                language,
                "accept-language",
            )
            assert (json.loads(body)["title"], json.loads(body)["request_id"]) == (title, "mine")


async def test_a_browser_is_refused_with_a_page_in_its_language_that_offers_to_try_again() -> None:
    browser = "Accept: text/html,*/*;q=0.8\r\nX-Request-ID: mine\r\n"
    browsed = {("GET", "/auth/sign-in"), ("HEAD", "/auth/sign-in")}
    async with serving(app := App(browsed)) as port:
        await flood(app, port)
        client = await connect(app, port)
        client.send("/auth/sign-in?next=%3Cpassword%3E&flow=f", headers=browser)
        status, headers, body = await client.read()
        assert (status, headers["retry-after"]) == (503, "1")
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "cross-origin-opener-policy" not in headers
        text = body.decode()
        assert "The service has too much to do at this moment." in text
        assert '<a href="/auth/sign-in?next=%3Cpassword%3E&amp;flow=f">Try again</a>' in text
        assert "give this number: mine" in text
        client.send("/auth/sign-in", headers=f"{browser}Cookie: roster_language=zh\r\n")
        _, headers, body = await client.read()
        assert '<html lang="zh-Hans">' in body.decode()
        client.send("/auth/sign-in", method="HEAD", headers=browser)
        assert (await client.read(body=False))[0] == 503
        for path, more in (("/auth/sign-in", ""), ("/users/1", browser)):
            client.send(path, headers=more)
            assert (await client.read())[1]["content-type"] == "application/problem+json"


async def test_a_request_that_waits_is_served_once_a_slot_is_free() -> None:
    async with serving(app := App()) as port:
        clients = await flood(app, port)
        app.go.set()
        assert [(await client.read())[0] for client in clients] == [204] * len(clients)
    assert all(limiter.in_service == 0 for limiter in app.state.admission.limiters.values())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health/live"),
        ("POST", "/auth/logout"),
        ("POST", "/auth/revoke"),
        ("DELETE", "/users/me/sessions"),
        ("POST", "/users"),
        ("GET", "/users?q=anna"),
        ("GET", "/users/export"),
    ],
)
async def test_a_flood_of_one_kind_leaves_the_others_their_slots(method: str, path: str) -> None:
    async with serving(app := App()) as port:
        await flood(app, port)
        client = await connect(app, port)
        client.send(path, method=method)
        await until(lambda: path.partition("?")[0] in app.begun[SLOTS:])
        app.go.set()
        assert (await client.read())[0] == 204


async def test_one_address_s_flood_leaves_others_their_share() -> None:
    async with serving(app := App()) as port:
        await flood(app, port)
        other = await connect(app, port, "127.0.0.2")
        other.send("/users/other")
        limiter = app.state.admission.limiters["reads"]
        await until(lambda: limiter.waiting == 4)
        again = await connect(app, port)
        again.send("/users/again")
        assert (await again.read())[0] == 503
        app.go.set()
        assert (await other.read())[0] == 204
    assert app.begun.index("/users/other") == SLOTS + 1


async def test_one_client_s_flood_through_a_proxy_leaves_the_others_their_share() -> None:
    async with serving(app := App(trusted_proxies="127.0.0.0/8")) as port:
        await flood(app, port)
        for headers, status in (("", 503), ("X-Forwarded-For: 10.1.2.3\r\n", 204)):
            client = await connect(app, port)
            client.send(headers=headers)
            if status == 204:
                await until(lambda: app.state.admission.limiters["reads"].waiting == 4)
                app.go.set()
            assert (await client.read())[0] == status


async def test_a_request_that_has_gone_while_waiting_is_never_begun() -> None:
    async with serving(app := App()) as port:
        clients = await flood(app, port, waiting=1)
        gone = await connect(app, port)
        limiter = app.state.admission.limiters["reads"]
        limiter._limit.mean_s = 0.01
        gone.send("/users/gone")
        await until(lambda: limiter.waiting == 2)
        gone.writer.close()
        clients[-1].writer.close()
        await until(lambda: limiter.waiting == 0)
        app.go.set()
        assert [(await client.read())[0] for client in clients[:SLOTS]] == [204] * SLOTS
    assert "/users/gone" not in app.begun
    assert len(app.begun) == SLOTS


@pytest.mark.parametrize(("method", "is_cancelled"), [("GET", True), ("POST", False)])
async def test_a_read_whose_client_has_gone_is_given_up_and_a_change_is_finished(
    method: str, *, is_cancelled: bool
) -> None:
    async with serving(app := App()) as port:
        client = await connect(app, port)
        client.send("/users/1", method=method)
        await until(lambda: app.begun)
        client.writer.close()
        await client.writer.wait_closed()
        if is_cancelled:
            await until(lambda: app.cancelled)
        else:
            await until(lambda: app.state.admission.limiters["writes"].in_service == 1)
            app.go.set()
            await until(lambda: app.done)
    assert (app.cancelled == ["/users/1"]) is is_cancelled
    assert all(limiter.in_service == 0 for limiter in app.state.admission.limiters.values())


async def test_many_refused_requests_of_one_chunk_are_answered_in_turn() -> None:
    async with serving(app := App()) as port:
        await flood(app, port)
        client = await connect(app, port)
        for number in range(500):
            client.send("/users", headers=f"X-Request-ID: n{number}\r\n")
        for number in range(500):
            status, headers, _ = await client.read()
            assert (status, headers["x-request-id"]) == (503, f"n{number}")


async def test_many_requests_of_one_chunk_behind_one_that_is_served_are_refused_in_turn() -> None:
    async with serving(app := App()) as port:
        await flood(app, port)
        client = await connect(app, port)
        client.send("/health/live")
        for number in range(300):
            client.send("/users", headers=f"X-Request-ID: n{number}\r\n")
        assert (await client.read())[0] == 204
        for number in range(300):
            assert (await client.read())[1]["x-request-id"] == f"n{number}"


async def test_a_body_that_was_sent_is_dropped_and_one_that_was_not_ends_the_connection() -> None:
    async with serving(app := App()) as port:
        await flood(app, port, path="/health/ready")
        client = await connect(app, port)
        client.send("/health/ready", method="POST", body="x" * 100_000)
        assert (await client.read())[0] == 503
        client.send("/health/ready", method="POST", headers="Content-Length: 5\r\nExpect: 100-continue\r\n")
        status, headers, _ = await client.read()
        assert (status, headers["connection"]) == (503, "close")
        assert await client.reader.read() == b""


async def test_the_refusal_of_head_has_no_body_and_pages_of_allowed_origins_can_read_it() -> None:
    async with serving(app := App(cors_origins="https://app.example.com")) as port:
        await flood(app, port)
        client = await connect(app, port)
        client.send("/users", method="HEAD", headers="Origin: https://app.example.com\r\n")
        status, headers, _ = await client.read(body=False)
        assert (status, headers["access-control-allow-origin"]) == (503, "https://app.example.com")
        client.send("/users", headers="Origin: https://other.example.com\r\n")
        status, headers, _ = await client.read()
        assert status == 503
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("method", "path", "query", "kind"),
    [
        ("GET", "/health/ready", "", "health"),
        ("GET", "/users", "limit=5", "reads"),
        ("HEAD", "/users/507f1f77bcf86cd799439011", "", "reads"),
        ("GET", "/users", "limit=5&q=anna", "searches"),
        ("GET", "/users", "seq=1", "reads"),
        ("GET", "/users/suggest", "q=a", "searches"),
        ("POST", "/auth/token", "", "sign_ins"),
        ("POST", "/auth/register", "", "sign_ins"),
        ("POST", "/users/me/password", "", "sign_ins"),
        ("POST", "/auth/logout", "", "sign_outs"),
        ("POST", "/users:sign-out", "", "sign_outs"),
        ("DELETE", "/users/507f1f77bcf86cd799439011/sessions", "", "sign_outs"),
        ("GET", "/users/me/sessions", "", "reads"),
        ("DELETE", "/users/507f1f77bcf86cd799439011", "", "writes"),
        ("POST", "/users:batch", "", "writes"),
        ("POST", "/users/import", "", None),
        ("GET", "/users/export/csv", "", None),
        ("GET", "/users/exports", "", None),
        ("GET", "/users/exports/507f1f77bcf86cd799439011/file", "", None),
        ("GET", "/users/imports/507f1f77bcf86cd799439011/rows.xlsx", "", None),
        ("GET", "/users/imports/507f1f77bcf86cd799439011", "", "reads"),
        ("GET", "/jobs/507f1f77bcf86cd799439011/events", "", None),
    ],
)
def test_each_request_has_its_kind(method: str, path: str, query: str, kind: str | None) -> None:
    assert find_kind(method, path, query.encode()) == kind


def test_a_form_with_a_password_is_a_sign_in_and_its_page_is_read() -> None:
    assert find_kind("POST", "/auth/sign-in", b"") == "sign_ins"
    assert find_kind("GET", "/auth/sign-in", b"") == "reads"
