"""Who asked for an export or import is told that it has ended, and comes by the mail's link to its file."""

import re
from typing import Any

import httpx
import pytest

from app.core.errors import RosterError
from app.mail import Mail
from tests.support.identity import PASSWORD, call, member, sign_in
from tests.support.jobs import Start, handle
from tests.support.mail import read_mails
from tests.support.pages import Browser, title, words
from tests.support.users import NOBODY, problem, until

SENDS_NOTHING = {"smtp_url": "smtp+plain://127.0.0.1:9", "mail_from": "roster@example.com"}
"""Nobody listens there, so that mails wait."""


@pytest.fixture
async def working(starts: Start) -> httpx.AsyncClient:
    return await starts(**SENDS_NOTHING)


async def mail_in(client: httpx.AsyncClient) -> Mail:
    """The one mail, once it is there."""

    async def has_come() -> bool:
        return bool(await read_mails(client))

    await until(has_come)
    (mail,) = await read_mails(client)
    return mail


def link_of(mail: Mail) -> str:
    """Its path and query."""
    found = re.fullmatch(r"http://[^/]+(/auth/results\?job=[0-9a-f]{24})", mail.values["link"])
    assert found is not None
    return found[1]


async def ask_for_export(client: httpx.AsyncClient, token: str, **asked: Any) -> dict[str, Any]:
    reply = await call(client, "POST", "/users/exports", token, json={"format": "csv"} | asked)
    assert reply.status_code == 202, reply.text
    return dict(reply.json())


async def come_by(browser: Browser, link: str, user: dict[str, Any]) -> httpx.Response:
    """Follow the link, sign in, and get to the page."""
    reply = await browser.open(link)
    assert reply.status_code == 303
    job = link.partition("job=")[2]
    assert reply.headers["location"] == f"/auth/sign-in?job={job}&next=results"
    reply = await browser.sign_in(user["email"], PASSWORD, reply.headers["location"])
    assert reply.headers["location"] == link
    return await browser.open(link)


async def test_the_link_of_the_mail_leads_to_the_file_of_an_export(working: httpx.AsyncClient) -> None:
    ana = await member(working, "users:export")
    token = (await sign_in(working, ana))["access_token"]
    made = await ask_for_export(working, token, notify=True)
    mail = await mail_in(working)
    assert (mail.kind, mail.to) == ("export_done", ana["email"])
    browser = Browser(working)
    page = await come_by(browser, link_of(mail), ana)
    assert (page.status_code, title(page)) == (200, "Your export – Roster")
    assert "It is done: 1 rows." in words(page)
    file = await browser.open("/auth/results/file", job=made["job"])
    assert file.status_code == 200
    assert ana["email"] in file.text
    assert file.headers["content-disposition"].endswith('.csv"')
    shown = (await call(working, "GET", f"/users/exports/{made['id']}", token)).json()
    assert shown["filter"] == {}


async def test_an_import_leads_to_the_workbook_of_its_rows(working: httpx.AsyncClient) -> None:
    ana = await member(working, "users:write")
    token = (await sign_in(working, ana))["access_token"]
    headers = {"Content-Type": "text/csv", "Prefer": "wait=30"}
    planned = await call(
        working, "POST", "/users/import", token, content="email,name\nb@example.com,Ben\n", headers=headers
    )
    assert planned.status_code == 201, planned.text
    path = f"/users/imports/{planned.json()['id']}/apply?notify=true"
    assert (await call(working, "POST", path, token)).status_code == 200
    mail = await mail_in(working)
    assert (mail.kind, mail.to) == ("import_done", ana["email"])
    browser = Browser(working)
    page = await come_by(browser, link_of(mail), ana)
    assert "It is done: 1 rows." in words(page)
    file = await browser.open("/auth/results/file", job=link_of(mail).partition("job=")[2])
    assert file.status_code == 200
    assert file.content.startswith(b"PK")


async def test_a_bulk_change_leads_to_what_became_of_it_without_a_file(working: httpx.AsyncClient) -> None:
    ana = await member(working, "users:write")
    token = (await sign_in(working, ana))["access_token"]
    asked = {"ids": [ana["id"]], "change": {"action": "add_tags", "tags": ["told"]}}
    planned = await call(working, "POST", "/users:bulk", token, json=asked)
    assert planned.status_code == 201, planned.text
    path = f"/users/bulk/{planned.json()['id']}/apply?notify=true"
    assert (await call(working, "POST", path, token)).status_code == 200
    mail = await mail_in(working)
    assert (mail.kind, mail.to) == ("bulk_done", ana["email"])
    browser = Browser(working)
    page = await come_by(browser, link_of(mail), ana)
    assert (page.status_code, title(page)) == (200, "Your bulk change – Roster")
    assert "It is done: 1 rows." in words(page)
    assert "/auth/results/file" not in page.text
    assert (
        await browser.open("/auth/results/file", job=link_of(mail).partition("job=")[2])
    ).status_code == 404


async def test_what_fails_is_told_too(starts: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RosterError("There was no way.")

    handle(monkeypatch, fail)
    client = await starts(**SENDS_NOTHING)
    ana = await member(client, "users:export")
    token = (await sign_in(client, ana))["access_token"]
    made = await ask_for_export(client, token, notify=True)
    browser = Browser(client)
    page = await come_by(browser, link_of(await mail_in(client)), ana)
    assert "It did not succeed." in words(page)
    assert "/auth/results/file" not in page.text
    assert (await browser.open("/auth/results/file", job=made["job"])).status_code == 409


async def test_who_does_not_ask_is_not_told(working: httpx.AsyncClient) -> None:
    ana = await member(working, "users:export")
    token = (await sign_in(working, ana))["access_token"]
    made = await ask_for_export(working, token)

    async def has_ended() -> bool:
        return bool(
            (await call(working, "GET", f"/jobs/{made['job']}", token)).json()["state"] == "succeeded"
        )

    await until(has_ended)
    await ask_for_export(working, token, notify=True)
    await mail_in(working)


async def test_the_result_of_another_is_not_shown(working: httpx.AsyncClient) -> None:
    ana, ben = [await member(working, "users:export", "users:admin") for _ in range(2)]
    made = await ask_for_export(working, (await sign_in(working, ana))["access_token"], notify=True)
    await mail_in(working)
    browser = Browser(working)
    await browser.sign_in(ben["email"], PASSWORD)
    for path in ("/auth/results", "/auth/results/file"):
        for job in (made["job"], NOBODY, "x"):
            page = await browser.open(path, job=job)
            assert (page.status_code, title(page)) == (404, "Error: This did not work – Roster")
    assert (await Browser(working).open("/auth/results/file", job=made["job"])).status_code == 303


async def test_who_may_not_export_any_more_gets_no_file(working: httpx.AsyncClient) -> None:
    ana = await member(working, "users:export")
    made = await ask_for_export(working, (await sign_in(working, ana))["access_token"], notify=True)
    await mail_in(working)
    assert (await working.patch(f"/users/{ana['id']}", json={"scopes": ["me"]})).status_code == 200
    browser = Browser(working)
    await browser.sign_in(ana["email"], PASSWORD)
    page = await browser.open("/auth/results/file", job=made["job"])
    assert page.status_code == 403
    assert "Your account may not do this, or not any more." in words(page)


async def test_a_job_that_still_runs_says_so(client: httpx.AsyncClient) -> None:
    ana = await member(client, "users:export")
    made = await ask_for_export(client, (await sign_in(client, ana))["access_token"])
    browser = Browser(client)
    await browser.sign_in(ana["email"], PASSWORD)
    page = await browser.open("/auth/results", job=made["job"])
    assert "It is not done yet." in words(page)


async def test_a_job_without_a_page_has_none(client: httpx.AsyncClient) -> None:
    ana = await member(client, "users:write")
    token = (await sign_in(client, ana))["access_token"]
    headers = {"Content-Type": "text/csv", "Prefer": "wait=0"}
    reply = await call(
        client, "POST", "/users/import", token, content="email,name\na@example.com,Ana\n", headers=headers
    )
    browser = Browser(client)
    await browser.sign_in(ana["email"], PASSWORD)
    assert (await browser.open("/auth/results", job=reply.json()["plan_job"])).status_code == 404


async def test_where_mail_is_off_none_can_be_wished_for(client: httpx.AsyncClient) -> None:
    export = {"format": "csv", "notify": True}
    schedule = {"name": "x", "cron": "0 6 * * 1", "export": export}
    problem(await client.post("/users/exports", json=export), 409, "mail_off")
    problem(await client.post("/users/exports/schedules", json=schedule), 409, "mail_off")
    problem(await client.post(f"/users/imports/{NOBODY}/apply?notify=true"), 409, "mail_off")
    ours = schedule | {"export": {"format": "csv"}}
    made = await client.post("/users/exports/schedules", json=ours)
    path = f"/users/exports/schedules/{made.json()['id']}"
    problem(await client.patch(path, json={"export": export}), 409, "mail_off")
