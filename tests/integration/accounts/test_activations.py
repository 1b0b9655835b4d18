"""Activations: links to set a first password, sent by administrators to one user or to many."""

from collections import Counter
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from app.jobs import Job, Run
from app.jobs.runs import LeaseLostError
from tests.support.identity import ask_token, call, member, token_of
from tests.support.jobs import Start, backends, jobs_of
from tests.support.mailed import last_mail, mails_to, token_in
from tests.support.users import NOBODY, create, database, problem, read

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
    problem(await shared.post("/users:send-activations"), 409, "mail_off")


@pytest.mark.parametrize("scope", ["users:write", "users:read"])
async def test_only_administrators_send_them(mailing: httpx.AsyncClient, scope: str) -> None:
    user, token = await create(mailing), await token_of(mailing, "me", scope)
    problem(await call(mailing, "POST", f"/users/{user['id']}/activation", token), 403, "insufficient_scope")
    many = await call(mailing, "POST", "/users/activations", token, json={"ids": [user["id"]]})
    problem(many, 403, "insufficient_scope")
    assert await mails_to(mailing, user["email"]) == []


async def wait_for(client: httpx.AsyncClient, job: str) -> Job:
    return await jobs_of(client).wait(job, 30)


async def test_all_of_a_filter_who_have_no_password_are_sent_one_by_a_job(
    starts: Start, own_folder: Path
) -> None:
    client = await starts(mail_folder=own_folder)
    wanted = [await create(client, tags=["staff"], email=f"staff{place}@example.com") for place in range(60)]
    with_password = await member(client, tags=["staff"])
    gone = await create(client, tags=["staff"], is_active=False)
    other = await create(client)
    reply = await client.post("/users:send-activations", params={"tag": "staff"})
    assert (reply.status_code, reply.json()["kind"]) == (202, "activations")
    job = await wait_for(client, reply.json()["id"])
    assert (job.state, job.done) == ("succeeded", 62)
    assert await mailed_users(client) == Counter(user["id"] for user in wanted)
    assert {with_password["id"], gone["id"], other["id"]}.isdisjoint(await mailed_users(client))


async def mailed_users(client: httpx.AsyncClient) -> Counter[str]:
    """How many activations each user was sent, or will be."""
    found = await database(client)["mails"].find({"kind": "activate"}).to_list()
    return Counter(str(mail["user"]) for mail in found)


async def test_a_job_that_is_begun_again_sends_nobody_a_second_link(
    mailing: httpx.AsyncClient,
) -> None:
    users = [await create(mailing, tags=["again"]) for _ in range(60)]
    filters = {"tag": "again", "created_from": "2020-01-01"}
    reply = await mailing.post("/users:send-activations", params=filters)
    job = await jobs_of(mailing).find(reply.json()["id"])
    activations = backends(mailing).activations

    class Begun:
        """A run that is lost after the first report, and one that goes on to the end."""

        subject, by = job.subject, job.by
        reports = 0

        async def progress(self, _done: int, _total: int | None = None) -> None:
            Begun.reports += 1
            if Begun.reports == 1:
                raise LeaseLostError

    with pytest.raises(LeaseLostError):
        await activations.run(cast("Run", Begun()))
    before = await mailed_users(mailing)
    assert sum(before[user["id"]] for user in users) == 50
    await activations.run(cast("Run", Begun()))
    after = await mailed_users(mailing)
    assert [after[user["id"]] for user in users] == [1] * 60


async def test_a_filter_that_does_not_exist_is_named(mailing: httpx.AsyncClient) -> None:
    reply = await mailing.post("/users:send-activations", params={"tagg": "staff"})
    assert problem(reply, 422, "validation_failed")["errors"][0]["parameter"] == "tagg"
