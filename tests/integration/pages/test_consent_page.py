"""/auth/consent: what an application may have is asked of the user who is signed in, and of nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.authorization import CALLBACK, Application, answer_of, container_of, register
from tests.support.databases import PreparedDatabases
from tests.support.identity import PASSWORD, member
from tests.support.pages import Browser, title, words
from tests.support.users import database


@pytest.fixture(scope="module")
async def op(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving() as client:
        yield client


@pytest.fixture
async def ana(op: httpx.AsyncClient) -> dict[str, Any]:
    return await member(op, "me", "users:read")


@pytest.fixture
async def shop(op: httpx.AsyncClient) -> Application:
    """An application of others."""
    return await register(op, name="Shop", is_first_party=False)


@pytest.fixture
async def browser(op: httpx.AsyncClient) -> Browser:
    return Browser(op)


async def ask(browser: Browser, shop: Application, **more: str | None) -> httpx.Response:
    """Follow the browser to our page, or until it leaves for the application."""
    reply = await browser.open("/auth/authorize", **shop.request(**more))
    return await follow(browser, reply)


async def follow(browser: Browser, reply: httpx.Response) -> httpx.Response:
    while reply.is_redirect and not reply.headers["location"].startswith("https:"):
        reply = await browser.open(str(reply.url.join(reply.headers["location"])))
    return reply


async def come_to_consent(
    browser: Browser, shop: Application, user: dict[str, Any], **more: str
) -> httpx.Response:
    """The page that asks, of somebody who has just signed in on the way."""
    page = await ask(browser, shop, **more)
    assert title(page) == "Sign in – Roster"
    page = await follow(browser, await browser.send(page, username=user["email"], password=PASSWORD))
    assert title(page) == "Shop asks for access – Roster", page.text
    return page


async def test_an_application_of_others_is_allowed_once_and_not_asked_about_again(
    browser: Browser, shop: Application, ana: dict[str, Any]
) -> None:
    page = await come_to_consent(browser, shop, ana, scope="openid email users:read users:write")
    assert f"You are signed in as {ana['email']}." in words(page)
    assert "know which account is yours" in words(page)
    assert "read all users" in words(page)
    assert "create, change and delete users" not in words(page)  # as Ana may not, either
    assert "Whatever you choose, you go back to app.example.com." in words(page)
    assert "registered itself" not in words(page)
    assert "on this device" not in words(page)
    answered = await follow(browser, await browser.send(page, answer="allow"))
    code = answer_of(answered)["code"]
    tokens = await shop.exchange(code)
    assert tokens.json()["scope"] == "email openid users:read"
    assert "code" in answer_of(await ask(browser, shop, scope="openid users:read"))


@pytest.mark.parametrize("answer", ["deny", "perhaps", None])
async def test_all_but_a_clear_yes_is_a_no(
    browser: Browser, shop: Application, ana: dict[str, Any], answer: str | None
) -> None:
    page = await come_to_consent(browser, shop, ana)
    reply = await browser.send(page, **({} if answer is None else {"answer": answer}))
    told = answer_of(reply)
    assert (told["error"], told["state"]) == ("access_denied", "a state")
    assert title(await ask(browser, shop)) == "Shop asks for access – Roster"


async def test_the_page_may_lead_to_the_application_and_its_own_redirects(
    browser: Browser, shop: Application, ana: dict[str, Any]
) -> None:
    page = await come_to_consent(browser, shop, ana)
    policy = page.headers["content-security-policy"]
    assert "form-action" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"


async def test_the_page_shown_to_one_user_does_nothing_for_the_next(
    op: httpx.AsyncClient, browser: Browser, shop: Application, ana: dict[str, Any]
) -> None:
    ben = await member(op)
    page = await come_to_consent(browser, shop, ana)
    signing_in = await browser.open("/auth/sign-in", flow=page.url.params["flow"])
    await browser.send(signing_in, username=ben["email"], password=PASSWORD)
    reply = await browser.send(page, answer="allow")
    assert reply.status_code == 403
    assert await container_of(op).auth.consents.find(ben["id"], shop.client.id) == frozenset()


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_another_site_consents_for_nobody(
    op: httpx.AsyncClient, browser: Browser, shop: Application, ana: dict[str, Any], headers: dict[str, str]
) -> None:
    page = await come_to_consent(browser, shop, ana)
    browser.client.headers.update(headers)
    assert (await browser.send(page, answer="allow")).status_code == 403
    assert await container_of(op).auth.consents.find(ana["id"], shop.client.id) == frozenset()


async def test_a_user_who_is_deactivated_while_the_page_is_open_has_to_sign_in(
    op: httpx.AsyncClient, browser: Browser, shop: Application, ana: dict[str, Any]
) -> None:
    page = await come_to_consent(browser, shop, ana)
    assert (await op.patch(f"/users/{ana['id']}", json={"is_active": False})).status_code == 200
    page = await follow(browser, await browser.send(page, answer="allow"))
    assert title(page) == "Sign in – Roster"
    assert await container_of(op).auth.consents.find(ana["id"], shop.client.id) == frozenset()


@pytest.mark.parametrize("answer", ["allow", "deny"])
async def test_an_application_that_is_removed_while_the_page_is_open_gets_nobody(
    op: httpx.AsyncClient, browser: Browser, shop: Application, ana: dict[str, Any], answer: str
) -> None:
    page = await come_to_consent(browser, shop, ana)
    await container_of(op).auth.clients.remove(shop.client.id)
    for reply in (
        await follow(browser, await browser.send(page, answer=answer)),
        await browser.open(str(page.url)),
    ):
        assert (reply.status_code, title(reply)) == (400, "Error: This did not work – Roster")
        assert "is not registered here" in words(reply)


async def test_what_the_user_may_not_give_any_more_is_told_to_the_application(
    op: httpx.AsyncClient, browser: Browser, shop: Application, ana: dict[str, Any]
) -> None:
    page = await come_to_consent(browser, shop, ana, scope="users:read")
    assert (await op.patch(f"/users/{ana['id']}", json={"scopes": ["me"]})).status_code == 200
    again = await browser.open(str(page.url))
    assert (again.status_code, "/auth/sign-in?flow=" in again.headers["location"]) == (303, True)
    signed_in = await browser.send(
        await browser.open(again.headers["location"]), username=ana["email"], password=PASSWORD
    )
    assert answer_of(await follow(browser, signed_in))["error"] == "invalid_scope"
    assert answer_of(await follow(browser, await browser.open(str(page.url))))["error"] == "invalid_scope"


async def test_an_application_that_registered_itself_is_not_vouched_for_and_its_name_stays_text(
    op: httpx.AsyncClient, browser: Browser, ana: dict[str, Any]
) -> None:
    hostile = "<img src=x onerror=alert(1)> " + "x" * 40
    shop = await register(op, name=hostile, is_first_party=False)
    itself = {"$set": {"registration_token_hash": "a hash"}}
    await database(op)["clients"].update_one({"_id": shop.client.id}, itself)
    page = await ask(browser, shop, ui_locales="en")
    page = await follow(browser, await browser.send(page, username=ana["email"], password=PASSWORD))
    assert "nobody here has checked its name. Go on only if you trust app.example.com." in words(page)
    assert "<img" not in page.text
    assert title(page) == f"{hostile} asks for access – Roster"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:4000/cb", "com.example.shop:/cb"])
async def test_who_is_asked_for_a_program_of_the_device_is_told_to_have_begun_it_themselves(
    op: httpx.AsyncClient, browser: Browser, ana: dict[str, Any], uri: str
) -> None:
    shop = await register(op, name="Shop", auth_method="none", redirect_uris=(uri,))
    page = await come_to_consent(browser, shop, ana, redirect_uri=uri)
    assert "Go on only if you have just begun this yourself in Shop on this device." in words(page)
    allowed = await browser.send(page, answer="allow")
    reply = await browser.open(str(allowed.url.join(allowed.headers["location"])))
    assert "code" in answer_of(reply, uri)


async def test_a_flow_is_needed(browser: Browser) -> None:
    assert (await browser.open("/auth/consent")).status_code == 400
    assert (await browser.open("/auth/consent", flow="forged")).status_code == 400


# --- signing out


BYE = "https://app.example.com/bye"


@pytest.fixture
async def portal(op: httpx.AsyncClient) -> Application:
    return await register(op, name="Portal", post_logout_redirect_uris=(BYE,))


def leave(portal: Application) -> dict[str, str]:
    return {"client_id": portal.client.id, "post_logout_redirect_uri": BYE, "state": "s", "ui_locales": "zh"}


async def test_an_application_asks_to_sign_out_and_the_browser_goes_back_to_it(
    browser: Browser, portal: Application, ana: dict[str, Any]
) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    page = await follow(browser, await browser.open("/auth/end-session", **leave(portal)))
    assert title(page) == "退出登录？ – Roster"
    assert "Portal 请求让您退出登录。" in words(page)
    assert "form-action" not in page.headers["content-security-policy"]
    reply = await browser.send(page)
    assert (reply.status_code, reply.headers["location"]) == (303, f"{BYE}?state=s")
    assert title(await browser.open("/auth/sign-in")) == "Sign in – Roster"
    reply = await browser.open(str(page.url))  # of a second tab
    assert (reply.status_code, reply.headers["location"]) == (303, f"{BYE}?state=s")


async def test_a_forged_wish_to_sign_out_leads_nowhere(browser: Browser, ana: dict[str, Any]) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    page = await browser.open("/auth/sign-out", logout="forged")
    assert page.status_code == 400
    assert CALLBACK not in page.text
    assert title(await browser.open("/auth/sign-in")) == "You are signed in – Roster"


async def test_an_application_that_is_removed_meanwhile_gets_nobody_back(
    op: httpx.AsyncClient, browser: Browser, portal: Application, ana: dict[str, Any]
) -> None:
    await browser.sign_in(ana["email"], PASSWORD)
    page = await follow(browser, await browser.open("/auth/end-session", **leave(portal)))
    await container_of(op).auth.clients.remove(portal.client.id)
    reply = await browser.send(page)
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-out")
