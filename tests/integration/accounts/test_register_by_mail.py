"""POST /auth/register where mail is on: what is told, to whom, and that nobody is told who is there."""

import asyncio
import random
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import serving
from tests.support.identity import OTHER_PASSWORD, PASSWORD, ask_token, call, invite, member, oauth_error
from tests.support.mailed import ask, last_mail, mails_to, token_in
from tests.support.pages import Browser, words
from tests.support.users import create, find, person, pointers, problem, read, users, verify

Row = dict[str, Any]
OF_THE_REQUEST = {"date", "x-request-id"}


async def register(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await call(client, "POST", "/auth/register", json=person(password=PASSWORD) | more)


async def prove(client: httpx.AsyncClient, email: str) -> httpx.Response:
    token = token_in(await last_mail(client, email))
    return await call(client, "POST", "/auth/email/verify", json={"token": token})


async def kinds(client: httpx.AsyncClient, email: str) -> list[str]:
    return [mail.kind for mail in await mails_to(client, email)]


def seen(reply: httpx.Response) -> tuple[Any, ...]:
    headers = [pair for pair in reply.headers.multi_items() if pair[0] not in OF_THE_REQUEST]
    return reply.status_code, sorted(headers), reply.text


async def test_a_new_user_signs_in_once_the_code_of_the_mail_was_used(inviting: httpx.AsyncClient) -> None:
    email = "zoe.new@example.com"
    reply = await register(inviting, name="Zoë", email=email, locale="zh-CN", username="zoe.new")
    assert (reply.status_code, reply.json()) == (202, {})
    (mail,) = await mails_to(inviting, email)
    assert (mail.kind, mail.language, mail.name) == ("verify_email", "zh", "Zoë")
    oauth_error(await ask_token(inviting, email), "invalid_grant")
    assert (await prove(inviting, email)).status_code == 204
    assert (await ask_token(inviting, email)).status_code == 200
    (user,) = await find(inviting, email=email)
    now = await read(inviting, {"id": user})
    assert (now["email_verified"], now["version"], now["username"]) == (True, 2, "zoe.new")
    entries = (await inviting.get("/audit", params={"user": user})).json()["items"]
    assert [(entry["via"], entry["by"]) for entry in entries] == [("mail", user), ("registration", user)]
    assert [each["pointer"] for each in entries[0]["differences"]] == ["/email_verified", "/password"]


async def test_a_known_address_is_answered_as_an_unknown_one_and_its_owner_told(
    inviting: httpx.AsyncClient,
) -> None:
    owner = await member(inviting, locale="zh")
    before = await read(inviting, owner)
    known = await register(inviting, email=owner["email"].upper(), password=OTHER_PASSWORD)
    unknown = await register(inviting)
    assert seen(known) == seen(unknown)
    (mail,) = await mails_to(inviting, owner["email"])
    assert (mail.kind, mail.language, mail.user_id) == ("registered_again", "zh", owner["id"])
    assert mail.values == {"name": owner["name"]}
    assert await read(inviting, owner) == before
    assert (await ask_token(inviting, owner["email"])).status_code == 200


@pytest.mark.parametrize("is_known", [True, False])
async def test_other_values_that_users_have_are_refused_with_a_known_and_an_unknown_address(
    inviting: httpx.AsyncClient, *, is_known: bool
) -> None:
    taken = await member(inviting, username=f"taken-{is_known}".lower(), phone=f"+4915112345{is_known:03}")
    email = taken["email"] if is_known else "nobody.yet@example.com"
    reply = await register(inviting, email=email, username=taken["username"], phone=taken["phone"])
    assert pointers(reply, 409, "already_exists") == {"/username", "/phone"}
    assert await kinds(inviting, email) == []


async def test_a_second_registration_before_the_code_was_used_chooses_the_password_by_mail(
    inviting: httpx.AsyncClient,
) -> None:
    """The first may have been somebody else, whose password must not come true."""
    email = "twice@example.com"
    await register(inviting, email=email)
    first = token_in(await last_mail(inviting, email))
    await register(inviting, email=email, password=OTHER_PASSWORD)
    assert await kinds(inviting, email) == ["verify_email", "activate"]
    problem(await call(inviting, "POST", "/auth/email/verify", json={"token": first}), 403, "invalid_code")
    second = {"token": token_in(await last_mail(inviting, email)), "password": "twelve geese paint fences"}
    assert (await call(inviting, "POST", "/auth/activate", json=second)).status_code == 204
    for wrong in (PASSWORD, OTHER_PASSWORD):
        oauth_error(await ask_token(inviting, email, wrong), "invalid_grant")
    assert (await ask_token(inviting, email, "twelve geese paint fences")).status_code == 200


async def test_a_user_whose_mail_was_lost_asks_for_another(inviting: httpx.AsyncClient) -> None:
    email = "lost@example.com"
    await register(inviting, email=email)
    assert (await ask(inviting, email, "/auth/email/verification")).status_code == 202
    assert await kinds(inviting, email) == ["verify_email", "activate"]


async def test_the_first_password_ends_the_codes_that_were_mailed_before_it(
    inviting: httpx.AsyncClient,
) -> None:
    email = "both@example.com"
    await register(inviting, email=email)
    first = token_in(await last_mail(inviting, email))
    await ask(inviting, email)
    second = {"token": token_in(await last_mail(inviting, email)), "password": OTHER_PASSWORD}
    assert (await call(inviting, "POST", "/auth/email/verify", json={"token": first})).status_code == 204
    problem(await call(inviting, "POST", "/auth/activate", json=second), 403, "invalid_code")
    assert (await ask_token(inviting, email, PASSWORD)).status_code == 200


async def test_an_imported_user_who_registers_gets_in_by_the_mail(inviting: httpx.AsyncClient) -> None:
    user = await create(inviting)
    await register(inviting, email=user["email"])
    assert await kinds(inviting, user["email"]) == ["activate"]


async def test_nobody_gets_in_by_an_address_that_others_changed(inviting: httpx.AsyncClient) -> None:
    user, email = await create(inviting, scopes=["me", "users:export"]), "mine@example.com"
    await inviting.patch(f"/users/{user['id']}", json={"email": email})
    await register(inviting, email=email)
    assert await kinds(inviting, email) == ["registered_again"]


async def test_an_owner_is_told_three_times_in_half_an_hour_at_most(inviting: httpx.AsyncClient) -> None:
    owner = await member(inviting)
    replies = [await register(inviting, email=owner["email"]) for _ in range(5)]
    assert len({str(seen(reply)) for reply in replies}) == 1
    assert await kinds(inviting, owner["email"]) == ["registered_again"] * 3


async def test_ten_registrations_of_an_address_at_once_write_one_user_and_are_answered_alike(
    inviting: httpx.AsyncClient,
) -> None:
    email = "crowd@example.com"
    replies = await asyncio.gather(*(register(inviting, email=email) for _ in range(10)))
    assert len({str(seen(reply)) for reply in replies}) == 1
    assert await users(inviting).count_documents({"keys.email": email}) == 1


async def test_a_weak_password_is_refused_with_a_known_and_an_unknown_address(
    inviting: httpx.AsyncClient,
) -> None:
    owner = await member(inviting)
    for email in (owner["email"], "nobody.else@example.com"):
        assert pointers(await register(inviting, email=email, password="short")) == {"/password"}
    assert await kinds(inviting, owner["email"]) == []


async def test_a_guest_signs_in_at_once_and_verifies_later(
    inviting: httpx.AsyncClient,
) -> None:
    code = (await invite(inviting))["code"]
    reply = await register(inviting, invitation=code, email="guest@example.com")
    assert (reply.status_code, reply.json()["email_verified"]) == (201, False)
    assert (await ask_token(inviting, "guest@example.com")).status_code == 200
    assert await kinds(inviting, "guest@example.com") == ["verify_email"]


async def test_the_page_shows_the_same_for_a_known_and_an_unknown_address(
    inviting: httpx.AsyncClient,
) -> None:
    owner = await member(inviting)
    shown = []
    for email in (owner["email"], "new.of.the.page@example.com"):
        browser = Browser(inviting)
        page = await browser.open("/auth/sign-up")
        reply = await browser.send(page, name="Zoë", email=email, password=PASSWORD)
        assert reply.status_code == 200
        shown.append(words(reply).replace(email, ""))
        assert (await browser.open("/auth/password")).status_code == 303  # to sign in first
    assert shown[0] == shown[1]
    assert await kinds(inviting, owner["email"]) == ["registered_again"]
    assert await kinds(inviting, "new.of.the.page@example.com") == ["verify_email"]


async def test_an_administrators_address_cannot_be_registered(inviting: httpx.AsyncClient) -> None:
    admin = await member(inviting, "me", "users:admin")
    await verify(inviting, admin)
    assert (await register(inviting, email=admin["email"])).status_code == 202
    assert (await read(inviting, admin))["email_verified"] is True
    oauth_error(await ask_token(inviting, admin["email"], OTHER_PASSWORD), "invalid_grant")


async def test_known_and_unknown_addresses_cannot_be_told_apart(
    mongo_uri: str, redis_url: str, servers_folder: Path
) -> None:
    """Within 10 %, over 300 registrations interleaved at random.

    CPU time, hashing threads and all: on a machine with other things to do, wall time tells of those.
    """
    mail = {"mail_folder": servers_folder / "mail", "registration": "open", "tries_per_address": 100_000}
    async with serving(mongo_uri, redis_url, **mail) as client:
        known = [(await member(client))["email"] for _ in range(50)] * 3
        unknown = [f"nobody{number}@example.com" for number in range(len(known))]
        asked = [("known", email) for email in known] + [("unknown", email) for email in unknown]
        spent: dict[str, list[float]] = defaultdict(list)
        answers = set()
        for kind, email in random.sample(asked, len(asked)):
            started = time.process_time()
            answers.add(str(seen(await register(client, email=email))))
            spent[kind].append(time.process_time() - started)
    assert len(answers) == 1
    medians = {kind: statistics.median(times) for kind, times in spent.items()}
    assert max(medians.values()) <= 1.1 * min(medians.values()), medians
