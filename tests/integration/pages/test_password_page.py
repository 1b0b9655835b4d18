"""/auth/password: changing one's password in a browser."""

from typing import Any

import httpx
import pytest

from tests.support.identity import (
    OTHER_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    ask_token,
    call,
    sign_in,
    wear_out,
)
from tests.support.pages import Browser, title, words


@pytest.fixture
async def browser(served: httpx.AsyncClient, ana: dict[str, Any]) -> Browser:
    """Signed in as Ana."""
    browser = Browser(served)
    assert (await browser.sign_in(ana["email"], PASSWORD)).status_code == 303
    return browser


async def test_a_new_password_signs_out_everywhere_but_here(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    tokens = await sign_in(served, ana)
    other = Browser(served)
    await other.sign_in(ana["email"], PASSWORD)
    page = await browser.open("/auth/password")
    assert title(page) == "Change your password – Roster"
    assert f"Account: {ana['email']}" in words(page)
    page = await browser.send(page, current_password=PASSWORD, new_password=OTHER_PASSWORD)
    assert (page.status_code, title(page)) == (200, "Your password is changed – Roster")
    assert ana["email"] in words(await browser.open("/auth/sign-in"))
    assert title(await other.open("/auth/sign-in")) == "Sign in – Roster"
    assert (await call(served, "GET", "/users/me", tokens["access_token"])).status_code == 401
    assert (await ask_token(served, ana["email"], PASSWORD)).status_code == 400
    assert (await ask_token(served, ana["email"], OTHER_PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "refusal"),
    [
        ("", "", (422, "Current password: Must not be empty.")),
        (WRONG_PASSWORD, OTHER_PASSWORD, (403, "Current password: Must be the current password.")),
        (PASSWORD, "short", (422, "New password: Must have at least 8 characters.")),
        (PASSWORD, "x" * 5_000, (422, "New password: Must have at most 128 characters.")),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(
    browser: Browser, current: str, new: str, refusal: tuple[int, str]
) -> None:
    page = await browser.open("/auth/password")
    page = await browser.send(page, current_password=current, new_password=new)
    status, sentence = refusal
    assert page.status_code == status
    assert title(page) == "Error: Change your password – Roster"
    assert sentence in words(page)
    assert title(await browser.open("/auth/password")) == "Change your password – Roster"


async def test_guesses_at_the_current_password_are_throttled(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    page = await browser.open("/auth/password")
    await wear_out(served, ana["email"])
    page = await browser.send(page, current_password=PASSWORD, new_password=OTHER_PASSWORD)
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0


async def test_people_who_are_not_signed_in_sign_in_first(served: httpx.AsyncClient) -> None:
    reply = await Browser(served).open("/auth/password")
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-in?next=password")


async def test_password_managers_find_the_page(served: httpx.AsyncClient) -> None:
    reply = await Browser(served).open("/.well-known/change-password")
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/password")


async def test_another_site_changes_nothing(
    served: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    page = await browser.open("/auth/password")
    browser.client.headers["Sec-Fetch-Site"] = "cross-site"
    page = await browser.send(page, current_password=PASSWORD, new_password=OTHER_PASSWORD)
    assert page.status_code == 403
    assert (await ask_token(served, ana["email"], PASSWORD)).status_code == 200
