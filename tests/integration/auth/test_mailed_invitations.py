"""Invitations by mail: only their readers have the code, so registering by it shows whose address it is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.mail import Mail
from tests.support.databases import PreparedDatabases
from tests.support.identity import PASSWORD, call, invite, token_of
from tests.support.mail import read_mails
from tests.support.pages import Browser, title
from tests.support.users import person, pointers, problem


@pytest.fixture(scope="module")
async def inviting(
    prepared_databases: PreparedDatabases, servers_folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    settings: dict[str, Any] = {"registration": "invitation", "mail_folder": servers_folder / "mail"}
    async with prepared_databases.serving(**settings) as client:
        yield client


async def mails_to(client: httpx.AsyncClient, address: str) -> list[Mail]:
    return [mail for mail in await read_mails(client, kind="invitation") if mail.to == address]


def code_of(mail: Mail) -> str:
    return mail.values["link"].partition("invitation=")[2]


async def register(client: httpx.AsyncClient, email: str, code: str) -> httpx.Response:
    body = person(email=email) | {"password": PASSWORD, "invitation": code}
    return await call(client, "POST", "/auth/register", json=body)


async def test_who_is_invited_by_mail_registers_by_its_link_and_is_verified(
    inviting: httpx.AsyncClient,
) -> None:
    email = str(person()["email"])
    made = await invite(inviting, email=email, scopes=["me", "users:read"], send=True)
    assert made["code"] is None
    (mail,) = await mails_to(inviting, email)
    assert mail.values["days"] == "7"
    browser = Browser(inviting)
    page = await browser.open("/auth/sign-up", invitation=code_of(mail))
    assert f'href="?invitation={code_of(mail)}&amp;ui_locales=zh"' in page.text
    done = await browser.send(page, invitation=code_of(mail), name="Zoë", email=email, password=PASSWORD)
    assert done.status_code == 303, title(done)
    (user,) = (await inviting.get("/users", params={"email": email})).json()["items"]
    assert user["email_verified"] is True
    assert user["scopes"] == ["me", "users:read"]


async def test_a_code_that_was_shown_verifies_nothing(inviting: httpx.AsyncClient) -> None:
    email = str(person()["email"])
    made = await invite(inviting, email=email)
    reply = await register(inviting, email, made["code"])
    assert reply.json()["email_verified"] is False
    assert await mails_to(inviting, email) == []


async def test_an_invitation_that_is_sent_again_has_a_new_code(inviting: httpx.AsyncClient) -> None:
    email = str(person()["email"])
    made = await invite(inviting, email=email, send=True, expires_in=86_400)
    reply = await inviting.post(f"/auth/invitations/{made['id']}/send", headers={"Accept-Language": "zh"})
    assert reply.status_code == 201
    again = reply.json()
    assert (again["code"], again["expires_at"]) == (None, made["expires_at"])
    assert again["id"] != made["id"]
    first, second = await mails_to(inviting, email)
    assert (first.language, second.language) == ("en", "zh")
    assert second.values["days"] == "1"
    problem(await register(inviting, email, code_of(first)), 403, "invalid_invitation")
    problem(await inviting.post(f"/auth/invitations/{made['id']}/send"), 404, "invitation_not_found")
    assert (await register(inviting, email, code_of(second))).status_code == 201


async def test_an_invitation_that_was_shown_can_be_sent(inviting: httpx.AsyncClient) -> None:
    email = str(person()["email"])
    made = await invite(inviting, email=email)
    assert (await inviting.post(f"/auth/invitations/{made['id']}/send")).status_code == 201
    (mail,) = await mails_to(inviting, email)
    reply = await register(inviting, email, code_of(mail))
    assert reply.json()["email_verified"] is True


async def test_an_invitation_for_anyone_cannot_be_sent(inviting: httpx.AsyncClient) -> None:
    token = await token_of(inviting, "users:admin")
    reply = await call(inviting, "POST", "/auth/invitations", token, json={"send": True})
    assert pointers(reply) == {"/email"}
    made = await invite(inviting)
    problem(await inviting.post(f"/auth/invitations/{made['id']}/send"), 409, "invitation_without_email")
    assert (await inviting.delete(f"/auth/invitations/{made['id']}")).status_code == 204


async def test_a_withdrawn_invitation_is_not_sent_and_its_link_is_void(inviting: httpx.AsyncClient) -> None:
    email = str(person()["email"])
    made = await invite(inviting, email=email, send=True)
    assert (await inviting.delete(f"/auth/invitations/{made['id']}")).status_code == 204
    (mail,) = await mails_to(inviting, email)
    problem(await register(inviting, email, code_of(mail)), 403, "invalid_invitation")
    problem(await inviting.post(f"/auth/invitations/{made['id']}/send"), 404, "invitation_not_found")


async def test_without_mail_none_is_sent(client: httpx.AsyncClient) -> None:
    token = await token_of(client, "users:admin")
    asked = {"email": "zoe@example.com", "send": True}
    problem(await call(client, "POST", "/auth/invitations", token, json=asked), 409, "mail_off")
    made = await invite(client, email="zoe@example.com")
    problem(await client.post(f"/auth/invitations/{made['id']}/send"), 409, "mail_off")
