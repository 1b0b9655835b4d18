"""CORS: pages of the origins that are set, and of no other."""

from typing import Any

import httpx
import pytest

from app.http.cross_origin import CrossOrigin
from tests.support.small_app import make_app

APP = "https://app.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}


async def ask(*origins: str, method: str = "GET", **headers: Any) -> httpx.Response:
    transport = httpx.ASGITransport(CrossOrigin(make_app(), origins))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, "/users", headers=headers)


async def test_a_preflight_of_an_origin_that_is_set_is_answered() -> None:
    reply = await ask(APP, method="OPTIONS", Origin=APP, **PREFLIGHT)
    assert (reply.status_code, reply.content) == (200, b"OK")
    assert reply.headers["access-control-allow-origin"] == APP
    assert "PATCH" in reply.headers["access-control-allow-methods"]
    assert {"Authorization", "If-Match"} <= set(reply.headers["access-control-allow-headers"].split(", "))
    assert reply.headers["access-control-max-age"] == "600"
    assert "Origin" in reply.headers["vary"].split(", ")
    assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://app.example.com.evil.example", "null", ""]
)
async def test_another_origin_learns_nothing(origin: str) -> None:
    preflight = await ask(APP, method="OPTIONS", Origin=origin, **PREFLIGHT)
    assert preflight.status_code == 405
    for reply in (preflight, await ask(APP, Origin=origin)):
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert "Origin" in reply.headers["vary"]


async def test_a_page_may_read_what_is_answered_and_the_headers_it_needs() -> None:
    reply = await ask(APP, Origin=APP)
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (200, APP)
    assert {"ETag", "Link", "X-Request-ID"} <= set(reply.headers["access-control-expose-headers"].split(", "))


async def test_a_star_lets_any_page_in() -> None:
    for asked in ({}, {"method": "OPTIONS", **PREFLIGHT}):
        reply = await ask("*", Origin="https://anywhere.example", **asked)
        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (200, "*")


async def test_a_header_that_no_operation_reads_is_refused_before_the_browser_sends_it() -> None:
    asked = PREFLIGHT | {"Access-Control-Request-Headers": "x-csrf"}
    reply = await ask(APP, method="OPTIONS", Origin=APP, **asked)
    assert (reply.status_code, reply.text) == (400, "Disallowed CORS headers")


async def test_options_that_is_no_preflight_goes_on() -> None:
    assert (await ask(APP, method="OPTIONS", Origin=APP)).status_code == 405
