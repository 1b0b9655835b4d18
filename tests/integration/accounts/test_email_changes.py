"""POST /users/me/email where mail is on: the new address confirms the change, the old one takes it back."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.identity import PASSWORD, WRONG_PASSWORD, ask_refresh, call, member, sign_in
from tests.support.mailed import ask, last_mail, mails_to, token_in
from tests.support.users import create, pointers, problem, read, verify

Row = dict[str, Any]


async def known(client: httpx.AsyncClient, **more: Any) -> Row:
    """A member whose address is verified."""
    user = await member(client, **more)
    await verify(client, user)
    return user


async def change(client: httpx.AsyncClient, user: Row, email: str, **headers: str) -> httpx.Response:
    """By a session of its own, which goes on."""
    token = (await sign_in(client, user))["access_token"]
    body = {"email": email, "current_password": PASSWORD}
    return await call(client, "POST", "/users/me/email", token, json=body, headers=headers)


async def confirm(client: httpx.AsyncClient, **sent: Any) -> httpx.Response:
    return await call(client, "POST", "/auth/email/confirm", json=sent)


async def take_back(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await call(client, "POST", "/auth/email/take-back", json={"token": token})


async def moved(client: httpx.AsyncClient, user: Row, email: str) -> str:
    """The token by which the old address takes the confirmed change back."""
    assert (await change(client, user, email)).status_code == 202
    assert (await confirm(client, token=token_in(await last_mail(client, email)))).status_code == 204
    return token_in(await last_mail(client, user["email"]))


async def kinds(client: httpx.AsyncClient, email: str) -> list[str]:
    return [mail.kind for mail in await mails_to(client, email)]


async def test_an_address_changes_when_the_new_one_confirms_it(mailing: httpx.AsyncClient) -> None:
    user, new = await known(mailing, locale="zh"), "confirmed.by.link@example.com"
    tokens = await sign_in(mailing, user)
    reply = await change(mailing, user, new)
    assert (reply.status_code, reply.json()) == (202, {})
    (mail,) = await mails_to(mailing, new)
    assert (mail.kind, mail.language, mail.user_id) == ("change_email", "zh", user["id"])
    assert (await read(mailing, user))["email"] == user["email"]
    assert await kinds(mailing, user["email"]) == []
    assert (await confirm(mailing, token=token_in(mail))).status_code == 204
    now = await read(mailing, user)
    assert (now["email"], now["email_verified"]) == (new, True)
    (told,) = await mails_to(mailing, user["email"])
    assert (told.kind, told.language, told.values["days"]) == ("email_changed", "zh", "7")
    assert "code" not in told.values
    assert (await ask_refresh(mailing, tokens["refresh_token"])).status_code == 200
    problem(await confirm(mailing, token=token_in(mail)), 403, "invalid_code")


async def test_an_address_changes_by_the_digits_and_the_new_address(mailing: httpx.AsyncClient) -> None:
    user, new = await known(mailing), "confirmed.by.digits@example.com"
    await change(mailing, user, new)
    code = (await last_mail(mailing, new)).values["code"]
    problem(await confirm(mailing, email=user["email"], code=code), 403, "invalid_code")
    assert (await confirm(mailing, email=new, code=code)).status_code == 204
    assert (await read(mailing, user))["email"] == new


async def test_an_address_that_was_not_verified_is_told_and_cannot_take_back(
    mailing: httpx.AsyncClient,
) -> None:
    """It may be a stranger's, mistyped."""
    user, new = await member(mailing, locale="zh"), "from.unverified@example.com"
    await change(mailing, user, new)
    await confirm(mailing, token=token_in(await last_mail(mailing, new)))
    assert (await read(mailing, user))["email_verified"] is True
    (mail,) = await mails_to(mailing, user["email"])
    assert (mail.kind, mail.language, mail.user_id) == ("email_replaced", "zh", user["id"])
    assert mail.values == {"name": user["name"]}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_change_by_somebody_else_is_told_to_the_old_address_without_a_link(
    mailing: httpx.AsyncClient, method: str
) -> None:
    """An administrator's change is theirs to undo, whether or not the old address is verified."""
    user, new = await known(mailing), f"by.{method}@example.com".lower()
    path, spoken = f"/users/{user['id']}", {"Accept-Language": "zh"}
    changed = {"email": new} if method == "PATCH" else await read(mailing, user) | {"email": new}
    reply = await mailing.request(method, path, json=changed, headers=spoken)
    assert (reply.status_code, reply.json()["email"]) == (200, new)
    (mail,) = await mails_to(mailing, user["email"])
    assert (mail.kind, mail.language, mail.user_id) == ("email_replaced", "zh", user["id"])
    assert mail.values == {"name": user["name"]}
    assert (await mailing.patch(path, json={"name": "Ana Other"})).status_code == 200
    assert await kinds(mailing, user["email"]) == ["email_replaced"]
    assert await kinds(mailing, new) == []


async def test_a_change_that_somebody_else_may_not_make_tells_nobody(mailing: httpx.AsyncClient) -> None:
    user, other = await known(mailing), await known(mailing)
    reply = await mailing.patch(f"/users/{user['id']}", json={"email": other["email"]})
    assert pointers(reply, 409, "already_exists") == {"/email"}
    assert await kinds(mailing, user["email"]) == await kinds(mailing, other["email"]) == []


async def test_the_old_address_takes_it_back_and_all_sessions_and_codes_end(
    mailing: httpx.AsyncClient,
) -> None:
    user, new = await known(mailing), "thief@example.com"
    link = await moved(mailing, user, new)
    tokens = await sign_in(mailing, {"email": new})
    await ask(mailing, new)
    reset = token_in(await last_mail(mailing, new))
    assert (await take_back(mailing, link)).status_code == 204
    now = await read(mailing, user)
    assert (now["email"], now["email_verified"]) == (user["email"], True)
    problem(await call(mailing, "GET", "/users/me", tokens["access_token"]), 401, "session_revoked")
    body = {"token": reset, "password": "twelve geese paint fences"}
    problem(await call(mailing, "POST", "/auth/password/reset", json=body), 403, "invalid_code")
    problem(await take_back(mailing, link), 403, "invalid_code")
    entries = (await mailing.get("/audit", params={"user": user["id"]})).json()["items"]
    difference = {"pointer": "/email", "from": new, "to": user["email"]}
    assert (entries[0]["via"], entries[0]["by"], entries[0]["differences"]) == (
        "mail",
        user["id"],
        [difference],
    )


async def test_of_many_uses_of_one_link_at_once_one_succeeds(mailing: httpx.AsyncClient) -> None:
    user, new = await known(mailing), "used.at.once@example.com"
    await change(mailing, user, new)
    token = token_in(await last_mail(mailing, new))
    confirmed = await asyncio.gather(*(confirm(mailing, token=token) for _ in range(20)))
    assert sorted(reply.status_code for reply in confirmed) == [204] + [403] * 19
    link = token_in(await last_mail(mailing, user["email"]))
    taken_back = await asyncio.gather(*(take_back(mailing, link) for _ in range(20)))
    assert sorted(reply.status_code for reply in taken_back) == [204] + [403] * 19
    now = await read(mailing, user)
    assert (now["email"], now["version"]) == (user["email"], 4)
    assert await kinds(mailing, user["email"]) == ["email_changed"]


async def test_the_first_address_takes_back_what_changed_twice_and_the_second_no_more(
    mailing: httpx.AsyncClient,
) -> None:
    user = await known(mailing)
    first = await moved(mailing, user, "second@example.com")
    second = await moved(mailing, {"email": "second@example.com"}, "third@example.com")
    assert (await take_back(mailing, first)).status_code == 204
    assert (await read(mailing, user))["email"] == user["email"]
    problem(await take_back(mailing, second), 403, "invalid_code")


async def test_a_user_who_has_the_new_address_already_is_told_and_the_caller_is_not(
    mailing: httpx.AsyncClient,
) -> None:
    user, owner = await known(mailing), await known(mailing)
    free, taken = await change(mailing, user, "free@example.com"), await change(mailing, user, owner["email"])
    assert (free.status_code, free.text) == (taken.status_code, taken.text) == (202, "{}")
    assert await kinds(mailing, owner["email"]) == ["registered_again"]
    assert (await read(mailing, user))["email"] == user["email"]


async def test_an_address_that_somebody_took_meanwhile_is_a_conflict(mailing: httpx.AsyncClient) -> None:
    user, new = await known(mailing), "taken.meanwhile@example.com"
    link = await moved(mailing, user, "left@example.com")
    await change(mailing, {"email": "left@example.com"}, new)
    await create(mailing, email=new)
    token = token_in(await last_mail(mailing, new))
    assert pointers(await confirm(mailing, token=token), 409, "already_exists") == {"/email"}
    await create(mailing, email=user["email"])
    assert pointers(await take_back(mailing, link), 409, "already_exists") == {"/email"}
    assert (await read(mailing, user))["email"] == "left@example.com"


async def test_the_password_and_the_version_are_asked_for_before_a_mail_is_sent(
    mailing: httpx.AsyncClient,
) -> None:
    user, new = await known(mailing), "never.asked@example.com"
    token = (await sign_in(mailing, user))["access_token"]
    wrong = {"email": new, "current_password": WRONG_PASSWORD}
    reply = await call(mailing, "POST", "/users/me/email", token, json=wrong)
    assert pointers(reply, 403, "wrong_password") == {"/current_password"}
    problem(await change(mailing, user, new, **{"If-Match": '"1"'}), 412, "version_mismatch")
    assert (await change(mailing, user, new, **{"If-Match": '"2"'})).status_code == 202
    assert await kinds(mailing, new) == ["change_email"]


async def test_the_same_address_is_answered_without_a_mail(mailing: httpx.AsyncClient) -> None:
    user = await known(mailing)
    reply = await change(mailing, user, user["email"])
    assert (reply.status_code, reply.json()["email_verified"]) == (200, True)
    assert await kinds(mailing, user["email"]) == []


async def test_three_new_addresses_are_mailed_in_half_an_hour_at_most(
    mailing: httpx.AsyncClient,
) -> None:
    user = await known(mailing)
    emails = [f"bombed{number}@example.com" for number in range(5)]
    assert [(await change(mailing, user, email)).status_code for email in emails] == [202] * 5
    assert [await kinds(mailing, email) for email in emails] == [["change_email"]] * 3 + [[]] * 2


@pytest.mark.parametrize("sent", [{}, {"token": "x"}, {"email": "a@example.com", "code": "123456"}])
async def test_taking_back_needs_the_link(mailing: httpx.AsyncClient, sent: dict[str, str]) -> None:
    problem(await call(mailing, "POST", "/auth/email/take-back", json=sent), 422, "validation_failed")
