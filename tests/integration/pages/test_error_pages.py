"""What goes wrong behind a page is told by a page; and the brand that all pages bear."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo.errors import AutoReconnect
from redis.exceptions import ConnectionError as RedisAwayError

from app.auth.sessions import BrowserSessions
from tests.support.api import serving
from tests.support.pages import Browser, title, words
from tests.support.servers import MongoServer, RedisServer


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("brand") / "logo.svg"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    return path


@pytest.fixture(scope="module")
async def served(
    mongo_server: MongoServer, redis_server: RedisServer, logo: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A service with a logo."""
    redis_url = redis_server.url.removesuffix("/0") + "/3"
    uri = mongo_server.uri_of(f"t_{uuid.uuid4().hex}")
    async with serving(uri, redis_url, brand_logo=logo, brand_name="Ærø & Søn") as client:
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
