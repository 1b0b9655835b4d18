"""Back-channel logout: each client is told that a browser's session has ended, by whatever way it has.

Docstrings as in test_openid_conformance.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from pymongo.errors import AutoReconnect

from app.core.errors import UnavailableError
from app.oauth.openid import delivery
from tests.support.authorization import (
    Application,
    answer_of,
    browse,
    container_of,
    register,
    sign_in_browser,
)
from tests.support.identity import call, member, parts, sign_in
from tests.support.jobs import Start

EVENT = "http://schemas.openid.net/event/backchannel-logout"
WITHIN_S = 20


@dataclass
class Listener:
    """A client's server on loopback, which answers with these statuses, the last one for ever."""

    statuses: list[int]
    port: int = 0
    got: asyncio.Queue[dict[str, str]] = field(default_factory=asyncio.Queue)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}/bye?tenant=1"

    async def hear(self) -> dict[str, str]:
        """The next form that was posted."""
        async with asyncio.timeout(WITHIN_S):
            return await self.got.get()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split()[0])
        body = (await reader.readexactly(length)).decode()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        writer.write(f"HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nLocation: /other\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        self.got.put_nowait({"head": head, **dict(parse_qsl(body))})


@asynccontextmanager
async def listening(*statuses: int) -> AsyncIterator[Listener]:
    listener = Listener(list(statuses))
    async with await asyncio.start_server(listener.answer, "127.0.0.1", 0) as server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


async def listen_as(http: httpx.AsyncClient, listener: Listener) -> Application:
    return await register(
        http, backchannel_logout_uri=listener.uri, post_logout_redirect_uris=("https://app.example.com/bye",)
    )


async def verified(http: httpx.AsyncClient, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that our published keys verify."""
    keys = KeySet.import_key_set((await http.get("/.well-known/jwks.json")).json())
    found = jwt.decode(token, keys, algorithms=["ES256"])
    return found.header, found.claims


async def test_a_client_is_told_that_its_user_signed_out(starts: Start) -> None:
    """`oidcc-backchannel-rp-initiated-logout`: passes."""
    http = await starts()
    async with listening(200) as listener:
        portal, quiet = await listen_as(http, listener), await register(http)
        user = await member(http)
        cookie = await sign_in_browser(http, user)
        tokens = await portal.get_tokens(cookie)
        await quiet.get_tokens(cookie)
        bye = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "https://app.example.com/bye"}
        reply = await browse(http, "GET", "/auth/end-session", cookie, params=bye)
        assert reply.headers["location"] == "https://app.example.com/bye"
        got = await listener.hear()
        assert set(got) == {"head", "logout_token"}
        assert got["head"].startswith("POST /bye?tenant=1 HTTP/1.1\r\n")
        header, claims = await verified(http, got["logout_token"])
        assert header["typ"] == "logout+jwt"
        assert claims["aud"] == portal.client.id
        assert claims["sub"] == user["id"]
        assert claims["sid"] == parts(tokens["id_token"])[1]["sid"]
        assert claims["events"] == {EVENT: {}}
        assert claims["exp"] - claims["iat"] == 120
        assert "nonce" not in claims
        assert answer_of(await portal.ask(cookie, prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize(
    "way", ["session", "everywhere", "own", "deactivated", "password", "deleted", "by an administrator"]
)
async def test_a_client_is_told_by_whatever_way_the_session_ended(starts: Start, way: str) -> None:
    http = await starts()
    async with listening(204) as listener:
        portal, user = await listen_as(http, listener), await member(http)
        cookie = await sign_in_browser(http, user)
        tokens = await portal.get_tokens(cookie, scope="openid me")
        sid = parts(tokens["id_token"])[1]["sid"]
        elsewhere = (await sign_in(http, user))["access_token"]
        match way:
            case "session":
                reply = await call(http, "DELETE", f"/users/me/sessions/{sid}", elsewhere)
            case "everywhere":
                reply = await http.post("/users:sign-out", json={"ids": [user["id"]]})
            case "own":
                reply = await call(http, "DELETE", "/users/me/sessions", elsewhere)
            case "deactivated":
                reply = await http.patch(f"/users/{user['id']}", json={"is_active": False})
            case "password":
                reply = await http.put(
                    f"/users/{user['id']}/password", json={"password": "nine herons argue"}
                )
            case "deleted":
                reply = await http.delete(f"/users/{user['id']}")
            case _:
                reply = await http.delete(f"/users/{user['id']}/sessions/{sid}")
        assert reply.status_code in {200, 204}, reply.text
        claims = (await verified(http, (await listener.hear())["logout_token"]))[1]
        assert (claims["sub"], claims["sid"]) == (user["id"], sid)


async def test_a_client_is_told_of_a_session_that_was_displaced(starts: Start) -> None:
    http = await starts(sessions_per_user=1)
    async with listening(200) as listener:
        portal, user = await listen_as(http, listener), await member(http)
        tokens = await portal.get_tokens(await sign_in_browser(http, user))
        await sign_in_browser(http, user)
        claims = (await verified(http, (await listener.hear())["logout_token"]))[1]
        assert claims["sid"] == parts(tokens["id_token"])[1]["sid"]


async def test_a_client_that_does_not_answer_is_told_again_with_a_new_token(starts: Start) -> None:
    http = await starts()
    async with listening(503, 200) as listener:
        portal, user = await listen_as(http, listener), await member(http)
        cookie = await sign_in_browser(http, user)
        await portal.get_tokens(cookie)
        browser = await container_of(http).auth.browsers.find(cookie)
        assert browser is not None
        await container_of(http).auth.browsers.end(browser)
        first, second = [(await listener.hear())["logout_token"] for _ in range(2)]
        ids = [(await verified(http, token))[1]["jti"] for token in (first, second)]
        assert ids[0] != ids[1]


@pytest.mark.parametrize("status", [400, 303])
async def test_a_client_that_refuses_is_not_told_again(starts: Start, status: int) -> None:
    http = await starts()
    async with listening(status) as listener:
        portal, user = await listen_as(http, listener), await member(http)
        cookie = await sign_in_browser(http, user)
        await portal.get_tokens(cookie)
        browser = await container_of(http).auth.browsers.find(cookie)
        assert browser is not None
        await container_of(http).auth.browsers.end(browser)
        await listener.hear()
        jobs = (await http.get("/jobs", params={"kind": "logout_notice"})).json()["items"]
        ended = await container_of(http).jobs.wait(jobs[0]["id"], WITHIN_S)
        assert (ended.error or {}).get("code") == "logout_notice_refused"
        assert listener.got.empty()


async def test_clients_that_registered_themselves_cannot_have_us_post_to_our_own_network(
    starts: Start,
) -> None:
    http = await starts()
    async with listening(200) as listener:
        with pytest.raises(UnavailableError, match="did not answer"):
            await delivery.post(listener.uri, {"logout_token": "x"}, anywhere=False)
        assert listener.got.empty()
    del http


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"\r\n", b"", b"HTTP/1.1 x y\r\n", b"A" * 5_000])
async def test_what_is_no_http_server_is_as_one_that_does_not_answer(answer: bytes) -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnavailableError):
            await delivery.post(f"http://127.0.0.1:{port}/", {}, anywhere=True)


async def test_a_notice_that_cannot_be_stored_keeps_no_session_alive(
    starts: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = await starts()
    async with listening(200) as listener:
        portal, user = await listen_as(http, listener), await member(http)
        cookie = await sign_in_browser(http, user)
        await portal.get_tokens(cookie)

        async def submit(*_: Any, **__: Any) -> None:
            raise AutoReconnect("gone")

        monkeypatch.setattr(container_of(http).jobs, "submit", submit)
        assert (await http.delete(f"/users/{user['id']}/sessions")).status_code == 204
        assert await container_of(http).auth.browsers.find(cookie) is None
        assert listener.got.empty()


async def test_a_client_that_is_gone_is_told_nothing(starts: Start) -> None:
    http = await starts()
    async with listening(200) as listener:
        portal, user = await listen_as(http, listener), await member(http)
        cookie = await sign_in_browser(http, user)
        await portal.get_tokens(cookie)
        browser = await container_of(http).auth.browsers.find(cookie)
        assert browser is not None
        await container_of(http).auth.clients.change(portal.client.id, {"backchannel_logout_uri": None})
        await container_of(http).auth.browsers.end(browser)
        jobs = (await http.get("/jobs", params={"kind": "logout_notice"})).json()["items"]
        assert jobs == []
