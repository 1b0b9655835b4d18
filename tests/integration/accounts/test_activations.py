"""Activations: links to set a first password, sent by administrators to one user or to many."""

from typing import Any

import httpx
import pytest

from tests.support.identity import ask_token, call, member, token_of
from tests.support.mailed import last_mail, mails_to, token_in
from tests.support.users import NOBODY, create, problem, read

NEW = "twelve geese paint fences"
Row = dict[str, Any]


async def send(client: httpx.AsyncClient, user: Row) -> httpx.Response:
    return await client.post(f"/users/{user['id']}/activation")


async def activate(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await call(client, "POST", "/auth/activate", json={"token": token, "password": NEW})


async def test_an_administrator_sends_a_link_that_sets_a_password_and_verifies(
    mailing: httpx.AsyncClient,
) -> None:
    user = await create(mailing, locale="zh")
    reply = await send(mailing, user)
    assert (reply.status_code, reply.json()) == (202, {})
    mail = await last_mail(mailing, user["email"])
    assert (mail.kind, mail.language, mail.values["hours"]) == ("activate", "zh", "72")
    assert (await activate(mailing, token_in(mail))).status_code == 204
    assert (await ask_token(mailing, user["email"], NEW)).status_code == 200
    assert (await read(mailing, user))["email_verified"] is True


async def test_it_may_go_to_an_address_that_an_administrator_has_changed(mailing: httpx.AsyncClient) -> None:
    """Public requests send nothing there; who sends this one answers for it."""
    user = await member(mailing)
    email = f"new.{user['email']}"
    await mailing.patch(f"/users/{user['id']}", json={"email": email})
    assert (await send(mailing, user)).status_code == 202
    assert (await activate(mailing, token_in(await last_mail(mailing, email)))).status_code == 204


async def test_a_link_that_was_sent_is_void_where_somebody_changes_the_address(
    mailing: httpx.AsyncClient,
) -> None:
    user = await create(mailing)
    await send(mailing, user)
    token = token_in(await last_mail(mailing, user["email"]))
    await mailing.patch(f"/users/{user['id']}", json={"email": f"evil.{user['email']}"})
    problem(await activate(mailing, token), 403, "invalid_code")


async def test_many_are_sent_at_once_with_a_status_for_each(mailing: httpx.AsyncClient) -> None:
    users = [await create(mailing) for _ in range(3)]
    gone = await create(mailing, is_active=False)
    ids = [*(user["id"] for user in users), NOBODY, gone["id"]]
    reply = await mailing.post("/users/activations", json={"ids": ids})
    assert reply.status_code == 202
    assert [each["id"] for each in reply.json()["results"]] == ids
    assert [each["status"] for each in reply.json()["results"]] == [202, 202, 202, 404, 409]
    for user in users:
        assert [mail.kind for mail in await mails_to(mailing, user["email"])] == ["activate"]


async def test_one_who_is_unknown_or_deactivated_is_sent_none(mailing: httpx.AsyncClient) -> None:
    problem(await send(mailing, {"id": NOBODY}), 404, "user_not_found")
    problem(await send(mailing, await create(mailing, is_active=False)), 409, "user_inactive")


async def test_without_mail_none_can_be_sent(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    problem(await send(shared, user), 409, "mail_off")
    problem(await shared.post("/users/activations", json={"ids": [user["id"]]}), 409, "mail_off")


@pytest.mark.parametrize("scope", ["users:write", "users:read"])
async def test_only_administrators_send_them(mailing: httpx.AsyncClient, scope: str) -> None:
    user, token = await create(mailing), await token_of(mailing, "me", scope)
    problem(await call(mailing, "POST", f"/users/{user['id']}/activation", token), 403, "insufficient_scope")
    many = await call(mailing, "POST", "/users/activations", token, json={"ids": [user["id"]]})
    problem(many, 403, "insufficient_scope")
    assert await mails_to(mailing, user["email"]) == []
