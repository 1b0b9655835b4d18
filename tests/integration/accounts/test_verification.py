"""E-mails verified by a code of a mail: who is sent one, what it changes, and who is told nothing."""

from typing import Any

import httpx
import pytest

from tests.support.identity import PASSWORD, call, invite, member, sign_in
from tests.support.mailed import ask, last_mail, mails_to, token_in
from tests.support.users import create, person, pointers, problem, read, verify

Row = dict[str, Any]
VERIFICATION = "/auth/email/verification"
ABSENT = "absent@example.com"


async def prove(client: httpx.AsyncClient, **sent: Any) -> httpx.Response:
    return await call(client, "POST", "/auth/email/verify", json=sent)


async def self_made(client: httpx.AsyncClient) -> Row:
    """Who gave the address themselves."""
    code = (await invite(client))["code"]
    reply = await call(client, "POST", "/auth/register", json=person(password=PASSWORD, invitation=code))
    assert reply.status_code == 201, reply.text
    made: Row = reply.json()
    return made


async def ask_own(client: httpx.AsyncClient, user: Row) -> httpx.Response:
    token = (await sign_in(client, user))["access_token"]
    return await call(client, "POST", "/users/me/email/verification", token)


async def test_a_user_who_registered_by_an_invitation_verifies_by_the_link(
    inviting: httpx.AsyncClient,
) -> None:
    user = await self_made(inviting)
    assert user["email_verified"] is False
    (mail,) = await mails_to(inviting, user["email"])
    assert (mail.kind, mail.user_id, mail.values["hours"]) == ("verify_email", user["id"], "24")
    assert "/auth/mail/verify_email?token=" in mail.values["link"]
    token = (await sign_in(inviting, user))["access_token"]
    assert (await prove(inviting, token=token_in(mail))).status_code == 204
    assert (await read(inviting, user))["email_verified"] is True
    problem(await prove(inviting, token=token_in(mail)), 403, "invalid_code")
    assert (await call(inviting, "GET", "/users/me", token)).status_code == 200


async def test_the_digits_do_the_same_and_are_asked_for_again(inviting: httpx.AsyncClient) -> None:
    user = await self_made(inviting)
    first = (await last_mail(inviting, user["email"])).values["code"]
    reply = await ask(inviting, user["email"], VERIFICATION)
    assert (reply.status_code, reply.json()) == (202, {})
    second = (await last_mail(inviting, user["email"])).values["code"]
    if first != second:
        problem(await prove(inviting, email=user["email"], code=first), 403, "invalid_code")
    assert (await prove(inviting, email=user["email"], code=second)).status_code == 204
    assert (await read(inviting, user))["email_verified"] is True


async def test_a_user_verifies_an_address_that_others_gave_only_while_signed_in(
    inviting: httpx.AsyncClient,
) -> None:
    user = await member(inviting)
    assert (await ask(inviting, user["email"], VERIFICATION)).status_code == 202
    assert await mails_to(inviting, user["email"]) == []
    reply = await ask_own(inviting, user)
    assert (reply.status_code, reply.json()) == (202, {})
    assert (
        await prove(inviting, token=token_in(await last_mail(inviting, user["email"])))
    ).status_code == 204
    assert (await read(inviting, user))["email_verified"] is True
    assert (await ask_own(inviting, user)).status_code == 202
    assert len(await mails_to(inviting, user["email"])) == 1


async def test_a_user_without_a_password_is_sent_the_way_to_set_one(inviting: httpx.AsyncClient) -> None:
    user = await create(inviting)
    await ask(inviting, user["email"], VERIFICATION)
    assert [mail.kind for mail in await mails_to(inviting, user["email"])] == ["activate"]


async def test_unknown_verified_inactive_and_others_addresses_are_answered_alike_and_get_no_mail(
    inviting: httpx.AsyncClient,
) -> None:
    verified, inactive, others = [await member(inviting) for _ in range(3)]
    await verify(inviting, verified)
    await inviting.patch(f"/users/{inactive['id']}", json={"is_active": False})
    emails = [ABSENT, *(user["email"] for user in (verified, inactive, others))]
    replies = [await ask(inviting, email, VERIFICATION) for email in emails]
    assert {(reply.status_code, reply.text) for reply in replies} == {(202, "{}")}
    assert len({tuple(sorted(set(reply.headers) - {"date", "x-request-id"})) for reply in replies}) == 1
    assert [await mails_to(inviting, email) for email in emails] == [[]] * 4


async def test_another_spelling_of_the_address_is_not_verified_by_the_mail_to_the_first(
    inviting: httpx.AsyncClient,
) -> None:
    user = await self_made(inviting)
    token = token_in(await last_mail(inviting, user["email"]))
    changed = await inviting.patch(f"/users/{user['id']}", json={"email": user["email"].upper()})
    assert changed.status_code == 200
    problem(await prove(inviting, token=token), 403, "invalid_code")
    assert (await read(inviting, user))["email_verified"] is False


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({"token": "short"}, {"/token"}),
        ({"email": ABSENT, "code": "12345"}, {"/code"}),
        ({"email": "no address", "code": "123456"}, {"/email"}),
        ({"token": "x" * 43, "more": 1}, {"/more"}),
        ({}, {"/token"}),
    ],
)
async def test_a_malformed_proof_is_named(
    inviting: httpx.AsyncClient, sent: dict[str, Any], at: set[str]
) -> None:
    assert pointers(await prove(inviting, **sent)) == at


async def test_without_mail_nothing_can_be_verified(shared: httpx.AsyncClient) -> None:
    user = await member(shared)
    for email in (user["email"], ABSENT):
        problem(await ask(shared, email, VERIFICATION), 409, "mail_off")
    problem(await ask_own(shared, user), 409, "mail_off")


async def test_a_caller_who_is_in_no_directory_has_nothing_to_verify(inviting: httpx.AsyncClient) -> None:
    problem(await inviting.post("/users/me/email/verification"), 404, "user_not_found")
