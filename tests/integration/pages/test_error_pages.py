"""What goes wrong behind a page is told by a page; and the brand that all pages bear."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo.errors import AutoReconnect
from redis.exceptions import ConnectionError as RedisAwayError

from app.auth.sessions import BrowserSessions
from tests.support.api import serving
from tests.support.databases import PreparedDatabases
from tests.support.pages import Browser, title, words


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("brand") / "logo.svg"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    return path


@pytest.fixture(scope="module")
async def served(prepared_databases: PreparedDatabases, logo: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A service with a logo."""
    async with prepared_databases.serving(brand_logo=logo, brand_name="Ærø & Søn") as client:
        yield client


@pytest.mark.logs_on_purpose
@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (RedisAwayError("gone"), 503, "The service does not answer at this moment."),
        (AutoReconnect("gone"), 503, "The service does not answer at this moment."),
        (ValueError("a secret"), 500, "Something broke on our side."),
    ],
)
async def test_what_breaks_is_told_by_a_page_which_offers_to_try_again(
    served: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    sentence: str,
) -> None:
    async def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(BrowserSessions, "find", fail)
    page = await Browser(served).open("/auth/sign-in", next="password")
    assert page.status_code == status
    assert title(page) == "Error: This did not work – Ærø & Søn"
    assert sentence in words(page)
    assert '<a href="/auth/sign-in?next=password">Try again</a>' in page.text
    assert f"give this number: {page.headers['x-request-id']}" in words(page)
    assert page.headers.get("retry-after") == ("1" if status == 503 else None)
    assert str(error) not in page.text


async def test_the_logo_is_an_image_of_ours_in_which_nothing_runs(served: httpx.AsyncClient) -> None:
    page = await Browser(served).open("/auth/sign-in")
    assert '<img src="/auth/logo" alt="Ærø &amp; Søn">' in page.text
    assert "; img-src 'self'; " in page.headers["content-security-policy"]
    logo = await Browser(served).open("/auth/logo")
    assert (logo.status_code, logo.headers["content-type"]) == (200, "image/svg+xml")
    assert logo.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    assert logo.headers["cache-control"] == "public, max-age=3600"


async def test_without_a_logo_there_is_none(client: httpx.AsyncClient) -> None:
    page = await Browser(client).open("/auth/logo")
    assert page.status_code == 404
    assert title(page) == "Error: This did not work – Roster"


# --- what no route of a page tells


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TOO_LARGE = "username=" + "a" * 1024 * 1024


@pytest.mark.parametrize(
    ("method", "path", "content", "refusal"),
    [
        ("PUT", "/auth/sign-in", "", (405, "This path accepts GET, HEAD, POST.")),
        ("POST", "/auth/logo", "", (405, "This path accepts GET, HEAD.")),
        ("POST", "/auth/sign-in", TOO_LARGE, (413, "The body may have at most 1048576 bytes.")),
        ("POST", "/auth/authorize", TOO_LARGE, (413, "The body may have at most 1048576 bytes.")),
        ("GET", "/auth/end-session?state=%ff", "", (400, "The query string is not UTF-8")),
    ],
    ids=["method of a form", "method of the logo", "form", "request", "query"],
)
async def test_a_browser_is_told_by_a_page_what_a_program_is_told_by_a_problem(
    served: httpx.AsyncClient, method: str, path: str, content: str, refusal: tuple[int, str]
) -> None:
    status, detail = refusal
    page = await served.request(method, path, headers=BROWSER, content=content)
    assert (page.status_code, title(page)) == (status, "Error: This did not work – Ærø & Søn")
    assert detail in words(page)
    assert f"give this number: {page.headers['x-request-id']}" in words(page)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert "cross-origin-opener-policy" not in page.headers
    for accepted in ("*/*", "application/json"):
        reply = await served.request(method, path, headers={"Accept": accepted}, content=content)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
        assert reply.json()["detail"].startswith(detail)
        assert reply.headers.get("allow") == page.headers.get("allow")


async def test_the_page_speaks_the_language_of_the_browser_and_a_head_has_no_body(
    served: httpx.AsyncClient,
) -> None:
    page = await served.put("/auth/sign-in", headers=BROWSER | {"Accept-Language": "zh-CN"})
    assert (page.status_code, page.headers["content-language"]) == (405, "zh")
    head = await served.head("/auth/device/verify", headers=BROWSER)
    assert (head.status_code, head.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert head.content == b""


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/auth/token"), ("PUT", "/auth/userinfo"), ("PUT", "/auth/nothing"), ("POST", "/auth/device")],
)
async def test_a_program_that_says_it_takes_pages_gets_what_programs_get(
    served: httpx.AsyncClient, method: str, path: str
) -> None:
    accepted = {"Accept": "text/html, image/gif, *; q=.2, */*; q=.2"}  # as Java's HttpURLConnection
    reply = await served.request(method, path, headers=accepted, content=TOO_LARGE)
    assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")


async def test_an_overloaded_service_has_a_page_of_its_brand_for_browsers_alone(
    served: httpx.AsyncClient,
) -> None:
    admission = served.app.state.admission  # type: ignore[attr-defined]  # set by `serving`
    scope = {"type": "http", "method": "GET", "path": "/auth/sign-in", "query_string": b"", "root_path": ""}
    for accepted, kind in (("text/html", "text/html; charset=utf-8"), ("*/*", "application/problem+json")):
        scope["headers"] = [(b"host", b"localhost"), (b"accept", accepted.encode())]
        head, _, body = admission.make_refusal(scope, keep_alive=True).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n".encode() in head
        assert ('alt="Ærø &amp; Søn"' in body.decode()) is (accepted == "text/html")


@pytest.mark.logs_on_purpose
async def test_a_page_that_takes_too_long_is_given_up_by_a_page(
    mongo_uri: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(BrowserSessions, "find", hang)
    async with serving(mongo_uri, redis_url, request_timeout_s=1) as client:
        page = await client.get("/auth/sign-in", headers=BROWSER)
    assert (page.status_code, title(page)) == (503, "Error: This did not work – Roster")
    assert "The service does not answer at this moment." in words(page)
