"""/auth/device: a user lets a program in that shows a code, and sees before what it is."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.authorization import Application, container_of, register
from tests.support.databases import PreparedDatabases
from tests.support.identity import PASSWORD, member, oauth_error
from tests.support.pages import Browser, title, words

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
async def op(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(tries_per_address=10_000) as client:
        yield client


@pytest.fixture
async def ana(op: httpx.AsyncClient) -> dict[str, Any]:
    return await member(op, "me", "users:read")


@pytest.fixture
async def cli(op: httpx.AsyncClient) -> Application:
    """A program of others at a terminal."""
    return await register(
        op,
        name="Shop CLI",
        auth_method="none",
        is_first_party=False,
        grant_types=frozenset({DEVICE, "refresh_token"}),
    )


@pytest.fixture
async def browser(op: httpx.AsyncClient) -> Browser:
    return Browser(op)


async def begin(cli: Application, scope: str = "me users:read users:write") -> dict[str, Any]:
    """What the program shows and keeps."""
    reply = await cli.post("/auth/device", {"scope": scope})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def poll(cli: Application, begun: dict[str, Any]) -> httpx.Response:
    return await cli.post("/auth/token", {"grant_type": DEVICE, "device_code": begun["device_code"]})


async def come_to_answer(browser: Browser, begun: dict[str, Any], user: dict[str, Any]) -> httpx.Response:
    """The page that asks, of somebody who signs in on the way by the address with the code."""
    path = begun["verification_uri_complete"].partition("/auth/")[2]
    reply = await browser.open(f"/auth/{path}")
    assert reply.status_code == 303
    page = await browser.open(reply.headers["location"])
    reply = await browser.send(page, username=user["email"], password=PASSWORD)
    page = await browser.open(reply.headers["location"])
    assert title(page) == "Connect a device – Roster"
    assert f'value="{begun["user_code"]}"' in page.text
    page = await browser.send(page, user_code=begun["user_code"])
    assert title(page) == "Connect Shop CLI? – Roster", page.text
    return page


async def test_a_program_is_let_in_by_the_code_that_it_shows(
    op: httpx.AsyncClient, browser: Browser, cli: Application, ana: dict[str, Any]
) -> None:
    begun = await begin(cli)
    page = await come_to_answer(browser, begun, ana)
    assert begun["user_code"] in words(page)
    assert f"You are signed in as {ana['email']}." in words(page)
    assert "read all users" in words(page)
    assert "create, change and delete users" not in words(page)  # as Ana may not, either
    assert "form-action 'self'" in page.headers["content-security-policy"]
    page = await browser.send(page, answer="allow")
    assert (page.status_code, title(page)) == (200, "Your device is connected – Roster")
    assert await container_of(op).auth.consents.find(ana["id"], cli.client.id) == {"me", "users:read"}
    tokens = await poll(cli, begun)
    assert tokens.status_code == 200, tokens.text
    assert set(tokens.json()["scope"].split()) == {"me", "users:read"}


async def test_a_no_ends_it(browser: Browser, cli: Application, ana: dict[str, Any]) -> None:
    begun = await begin(cli)
    page = await browser.send(await come_to_answer(browser, begun, ana), answer="deny")
    assert title(page) == "The device is not connected – Roster"
    oauth_error(await poll(cli, begun), "access_denied")


@pytest.mark.parametrize("code", ["bcdf ghjk", "ＢＣＤＦ－ＧＨＪＫ", "<script>", "x" * 5_000])
async def test_a_code_of_no_device_is_refused_and_shown_again(
    browser: Browser, ana: dict[str, Any], code: str
) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    page = await browser.send(await browser.open("/auth/device"), user_code=code)
    assert page.status_code == 404
    assert title(page) == "Error: Connect a device – Roster"
    assert "The code is unknown or has expired." in words(page)
    assert "<script" not in page.text


async def test_the_code_may_be_typed_as_people_type(
    browser: Browser, cli: Application, ana: dict[str, Any]
) -> None:
    begun = await begin(cli)
    await browser.sign_in(ana["email"], PASSWORD)
    typed = re.sub("-", "  ", begun["user_code"]).lower()
    page = await browser.send(await browser.open("/auth/device"), user_code=typed)
    assert title(page) == "Connect Shop CLI? – Roster"


async def test_an_empty_code_is_named(browser: Browser, ana: dict[str, Any]) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    page = await browser.send(await browser.open("/auth/device"), user_code="")
    assert page.status_code == 422
    assert "Code that your device shows: Must not be empty." in words(page)


async def test_an_answer_counts_once(browser: Browser, cli: Application, ana: dict[str, Any]) -> None:
    page = await come_to_answer(browser, await begin(cli), ana)
    assert (await browser.send(page, answer="allow")).status_code == 200
    assert (await browser.send(page, answer="deny")).status_code == 404


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_another_site_lets_no_device_in(
    browser: Browser, cli: Application, ana: dict[str, Any], headers: dict[str, str]
) -> None:
    begun = await begin(cli)
    page = await come_to_answer(browser, begun, ana)
    browser.client.headers.update(headers)
    assert (await browser.send(page, answer="allow")).status_code == 403
    oauth_error(await poll(cli, begun), "authorization_pending")


async def test_the_page_shown_to_one_user_does_nothing_for_the_next(
    op: httpx.AsyncClient, browser: Browser, cli: Application, ana: dict[str, Any]
) -> None:
    ben = await member(op)
    begun = await begin(cli)
    page = await come_to_answer(browser, begun, ana)
    signing_in = await browser.open("/auth/sign-in", next="elsewhere")
    assert signing_in.status_code == 303
    await browser.send(await browser.open("/auth/sign-out"))
    await browser.sign_in(ben["email"], PASSWORD)
    assert (await browser.send(page, answer="allow")).status_code == 403


async def test_after_a_sign_out_the_answer_leads_to_the_sign_in(
    browser: Browser, cli: Application, ana: dict[str, Any]
) -> None:
    page = await come_to_answer(browser, await begin(cli), ana)
    await browser.send(await browser.open("/auth/sign-out"))
    reply = await browser.send(page, answer="allow")
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-in?next=device")


async def test_a_program_that_is_removed_meanwhile_is_not_let_in(
    op: httpx.AsyncClient, browser: Browser, cli: Application, ana: dict[str, Any]
) -> None:
    page = await come_to_answer(browser, await begin(cli), ana)
    await container_of(op).auth.clients.remove(cli.client.id)
    assert (await browser.send(page, answer="allow")).status_code == 404
