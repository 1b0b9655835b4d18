"""/auth/sign-up: registering in a browser, as registration is set."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.api import serving
from tests.support.databases import PreparedDatabases
from tests.support.identity import PASSWORD, ask_token, invite
from tests.support.pages import Browser, title, words
from tests.support.users import person, users

FOR_ANOTHER = "The invitation is unknown, used, expired or for another e-mail address."


@pytest.fixture(scope="module")
async def public(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """A service where anybody may register."""
    async with prepared_databases.serving(registration="open", tries_per_address=10_000) as client:
        yield client


def filled(**more: str) -> dict[str, str]:
    return {"name": "Zoë", "email": str(person()["email"]), "password": PASSWORD} | more


async def test_where_registration_is_closed_the_page_says_so(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    page = await browser.open("/auth/sign-up")
    assert page.status_code == 403
    assert title(page) == "Error: This did not work – Roster"
    assert "Ask an administrator for one." in words(page)
    assert "sign-up" not in (await browser.open("/auth/sign-in")).text
    signing_in = await browser.open("/auth/sign-in")
    browser.client.headers["Accept-Language"] = "zh"
    reply = await browser.client.post(
        "/auth/sign-up", data={"form_token": signing_in.text.split('form_token" value="')[1].split('"')[0]}
    )
    assert reply.status_code == 403
    assert "请联系管理员" in words(reply)


async def test_people_who_register_are_signed_in(public: httpx.AsyncClient) -> None:
    browser, said = Browser(public), filled()
    page = await browser.open("/auth/sign-up")
    assert title(page) == "Create an account – Roster"
    reply = await browser.send(page, **said)
    assert (reply.status_code, reply.headers["location"]) == (303, "/auth/sign-in")
    assert f"As {said['email']}." in words(await browser.open("/auth/sign-in"))
    stored = await users(public).find_one({"email": said["email"]})
    assert stored["last_login_at"] is not None
    assert (await ask_token(public, said["email"])).status_code == 200


async def test_what_is_wrong_is_named_and_what_is_right_stays(public: httpx.AsyncClient) -> None:
    browser = Browser(public)
    page = await browser.open("/auth/sign-up")
    for fields, status, sentence in (
        ({}, 422, "Name: Must not be empty."),
        (filled(email="zoe"), 422, "E-mail: Must be an address such as ana@example.com."),
        (filled(name="Zoë\nB."), 422, "Name: Must be a name, on one line."),
        (filled(password="x" * 2_000), 422, "Password: Must have at most 128 characters."),
        (filled(password="short"), 422, "Password: Must have at least 8 characters."),
        (filled(password="password123"), 422, "Password: Must not be one of the passwords that most people"),
    ):
        page = await browser.send(page, **fields)
        assert page.status_code == status, words(page)
        assert title(page) == "Error: Create an account – Roster"
        assert sentence in words(page)
        for name in ("name", "email"):
            if name in fields:
                assert fields[name].splitlines()[0] in page.text
        if len(fields.get("password", "")) > 5:
            assert fields["password"] not in page.text


async def test_an_address_that_has_an_account_is_sent_to_sign_in(public: httpx.AsyncClient) -> None:
    said = filled()
    browser = Browser(public)
    await browser.send(await browser.open("/auth/sign-up"), **said)
    page = await Browser(public).open("/auth/sign-up")
    browser = Browser(public)
    page = await browser.send(await browser.open("/auth/sign-up"), **said)
    assert page.status_code == 409
    assert "E-mail: Belongs to an account that exists: sign in to that." in words(page)
    assert await users(public).count_documents({"email": said["email"]}) == 1


async def test_by_invitation_the_link_fills_in_the_code(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, registration="invitation") as private:
        browser, said = Browser(private), filled()
        code = (await invite(private, email=said["email"]))["code"]
        page = await browser.open("/auth/sign-up", invitation=code)
        assert f'value="{code}"' in page.text
        refused = await browser.send(page, **said)
        assert (refused.status_code, "Invitation code: Must not be empty." in words(refused)) == (422, True)
        for wrong in ("unknown", "x" * 200):
            refused = await browser.send(page, **said, invitation=wrong)
            assert refused.status_code in {403, 422}
            assert FOR_ANOTHER in words(refused)
        assert (await browser.send(page, **said, invitation=code)).status_code == 303
        assert said["email"] in words(await browser.open("/auth/sign-in"))


async def test_the_sign_in_leads_to_the_registration_and_back(public: httpx.AsyncClient) -> None:
    browser = Browser(public)
    page = await browser.open("/auth/sign-in", next="password")
    assert 'href="/auth/sign-up?next=password"' in page.text
    page = await browser.open("/auth/sign-up", next="password")
    assert 'href="/auth/sign-in?next=password"' in page.text
    assert (await browser.send(page, **filled())).headers["location"] == "/auth/password"


@pytest.mark.parametrize("token", ["", "forged"])
async def test_another_site_registers_nobody(public: httpx.AsyncClient, token: str) -> None:
    browser, said = Browser(public), filled()
    await browser.open("/auth/sign-up")
    reply = await browser.client.post("/auth/sign-up", data=said | {"form_token": token})
    assert reply.status_code == 403
    assert await users(public).count_documents({"email": said["email"]}) == 0
