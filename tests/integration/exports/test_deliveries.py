"""Scheduled exports that are left in the operator's bucket, and whose recipients are told by mail."""

from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from bson import ObjectId

from app.core.errors import UnavailableError
from app.files import StoredFile
from tests.support.identity import PASSWORD, call, member, sign_in
from tests.support.jobs import backends
from tests.support.mail import read_mails
from tests.support.pages import Browser, words
from tests.support.servers import S3Server
from tests.support.signatures import ask
from tests.support.users import NOBODY, create, database, pointers, problem

SCHEDULES = "/users/exports/schedules"
SAID = {"name": "Every night", "cron": "0 3 * * *", "export": {"format": "csv"}}
PLACE = "s3://files/reports"


@pytest.fixture
async def ana(direct: httpx.AsyncClient) -> dict[str, Any]:
    """Who makes schedules."""
    user = await member(direct, "users:export")
    return user | {"token": (await sign_in(direct, user))["access_token"]}


async def schedule(client: httpx.AsyncClient, ana: dict[str, Any], **more: Any) -> dict[str, Any]:
    reply = await call(client, "POST", SCHEDULES, ana["token"], json=SAID | more)
    assert reply.status_code == 201, reply.text
    return cast("dict[str, Any]", reply.json())


async def run(client: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    """The export of a run at this moment, whose job has ended."""
    due, opened = datetime.now(UTC).replace(microsecond=0), backends(client)
    one = {"_id": ObjectId(made["id"])}
    await database(client)["schedules"].update_one(one, {"$set": {"next_run_at": due}})
    job = await opened.schedules.start(one["_id"], due)
    if job is not None:  # else the scheduler was quicker
        await opened.jobs.announce(job)
    after = (await client.get(f"{SCHEDULES}/{made['id']}")).json()
    await opened.jobs.wait(after["last_job"], 30)
    return cast("dict[str, Any]", (await client.get(f"/users/exports/{after['last_export']}")).json())


async def mails_to(client: httpx.AsyncClient, user: dict[str, Any]) -> list[str]:
    return [mail.kind for mail in await read_mails(client) if mail.to == user["email"]]


async def test_a_schedule_leaves_its_file_in_the_bucket_and_tells_its_recipients(
    direct: httpx.AsyncClient, s3_server: S3Server, ana: dict[str, Any]
) -> None:
    ben = await member(direct, "users:export")
    pattern = f"{PLACE}/{{date}}/张伟-{{time}}.xlsx"
    export = {"format": "xlsx", "notify": True}
    made = await schedule(direct, ana, destination=pattern, recipients=[ben["id"], ana["id"]], export=export)
    assert (made["destination"], made["recipients"]) == (pattern, [ben["id"], ana["id"]])
    done = await run(direct, made)
    assert (done["state"], done["error"]) == ("succeeded", None)
    created = datetime.fromisoformat(done["created_at"])
    assert done["destination"].startswith(f"{PLACE}/{created:%Y-%m-%d}/张伟-")
    assert datetime.fromisoformat(done["delivered_at"]) >= created
    left, attributes = s3_server.read(done["destination"].removeprefix("s3://files/"))
    name = done["destination"].rpartition("-")[2]
    assert attributes["Content-Disposition"] == (
        f"attachment; filename=\"__-{name}\"; filename*=UTF-8''%E5%BC%A0%E4%BC%9F-{name}"
    )
    assert left == (await direct.get(f"{done['file']}?direct=false")).content

    assert (await mails_to(direct, ana), await mails_to(direct, ben)) == (["export_done"], ["export_shared"])
    (mail,) = [mail for mail in await read_mails(direct) if mail.to == ben["email"]]
    assert mail.values["link"].endswith(f"/auth/results?job={done['job']}")
    browser = Browser(direct)
    reply = await browser.open("/auth/results", job=done["job"])
    assert reply.headers["location"] == f"/auth/sign-in?job={done['job']}&next=results"
    reply = await browser.sign_in(ben["email"], PASSWORD, reply.headers["location"])
    page = await browser.open(reply.headers["location"])
    assert f"It is done: {done['rows']} rows." in words(page)
    file = await browser.open("/auth/results/file", job=done["job"])
    assert (await ask("GET", file.headers["location"])).content == left


async def test_only_recipients_who_still_may_are_told_and_shown_the_file(
    direct: httpx.AsyncClient, ana: dict[str, Any]
) -> None:
    ben, cleo = [await member(direct, "users:export") for _ in range(2)]
    made = await schedule(direct, ana, recipients=[ben["id"]])
    assert (await direct.patch(f"/users/{ben['id']}", json={"scopes": ["me"]})).status_code == 200
    done = await run(direct, made)
    assert (done["state"], done["destination"], done["delivered_at"]) == ("succeeded", None, None)
    assert await mails_to(direct, ben) == []
    for user, status in ((ben, 403), (cleo, 404)):
        browser = Browser(direct)
        await browser.sign_in(user["email"], PASSWORD)
        for path in ("/auth/results", "/auth/results/file"):
            assert (await browser.open(path, job=done["job"])).status_code == status


@pytest.mark.parametrize(
    "destination",
    [
        "s3://other/people.csv",
        "s3://files/people.csv",
        "s3://files/reportsx/people.csv",
        "s3://files/reports",
        "s3://files/reports/",
        "s3://files/reports//people.csv",
        "s3://files/reports/../people.csv",
        "s3://files/reports/./people.csv",
        "s3://files/reports/%2e%2e/people.csv",
        "s3://files/reports/people.csv?x",
        "s3://files/reports/people-{year}.csv",
        "s3://files/reports/{people.csv",
        "s3://files/reports\\people.csv",
        "s3://files/{date}/people.csv",
        "https://files/reports/people.csv",
        "file:///etc/passwd",
        "",
    ],
)
async def test_nothing_is_left_where_the_operator_does_not_allow_it(
    direct: httpx.AsyncClient, ana: dict[str, Any], destination: str
) -> None:
    said = {"destination": destination}
    assert pointers(await call(direct, "POST", SCHEDULES, ana["token"], json=SAID | said)) == {"/destination"}
    path = f"{SCHEDULES}/{(await schedule(direct, ana))['id']}"
    assert pointers(await call(direct, "PATCH", path, ana["token"], json=said)) == {"/destination"}


async def test_the_places_that_are_allowed_are_named(direct: httpx.AsyncClient, ana: dict[str, Any]) -> None:
    said = SAID | {"destination": "s3://other/people.csv"}
    (bad,) = problem(
        await call(direct, "POST", SCHEDULES, ana["token"], json=said), 422, "validation_failed"
    )["errors"]
    assert bad["detail"] == "Must be below s3://files/reports or s3://nowhere."


async def test_where_the_operator_names_none_nothing_is_left(shared: httpx.AsyncClient) -> None:
    reply = await shared.post(SCHEDULES, json=SAID | {"destination": f"{PLACE}/people.csv"})
    (bad,) = problem(reply, 422, "validation_failed")["errors"]
    assert bad["detail"] == "The operator allows no buckets."


async def test_a_place_that_is_allowed_no_longer_fails_the_run_and_keeps_the_file(
    direct: httpx.AsyncClient, ana: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await schedule(direct, ana, destination=f"{PLACE}/withdrawn.csv", recipients=[ana["id"]])
    monkeypatch.setattr(backends(direct).files.places, "_allowed", ())
    done = await run(direct, made)
    assert (done["state"], done["delivered_at"]) == ("failed", None)
    assert done["error"]["code"] == "validation_failed"
    (bad,) = done["error"]["errors"]
    assert (bad["pointer"], bad["detail"]) == ("/destination", "The operator allows no buckets.")
    assert (await direct.get(f"{done['file']}?direct=false")).status_code == 200
    assert await mails_to(direct, ana) == []


async def test_a_run_that_could_not_leave_its_file_tries_again_with_the_same(
    direct: httpx.AsyncClient, s3_server: S3Server, ana: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    places = backends(direct).files.places
    leave, tried = places.leave, []

    async def fail_once(file: StoredFile, *where: str) -> None:
        tried.append(file.entry["_id"])
        if len(tried) == 1:
            raise UnavailableError("The store is away.")
        await leave(file, *where)

    monkeypatch.setattr(places, "leave", fail_once)
    done = await run(direct, await schedule(direct, ana, destination=f"{PLACE}/again.csv"))
    assert done["state"] == "succeeded"
    assert len(tried) == 2
    assert len(set(tried)) == 1
    assert "reports/again.csv" in s3_server.list_keys()


async def test_a_bucket_that_is_not_there_is_unavailable(direct: httpx.AsyncClient) -> None:
    files = backends(direct).files
    async with files.writing("exports", "x.csv", None, content_type="text/csv") as (file_id, writer):
        await writer.write(b"x")
    file = await files.find("exports", file_id)
    assert file is not None
    with pytest.raises(UnavailableError):
        await files.places.leave(file, "s3://nowhere/x.csv", "text/csv")


async def test_recipients_are_active_users_who_may_export(
    direct: httpx.AsyncClient, ana: dict[str, Any]
) -> None:
    reader, ben = await member(direct, "users:read"), await member(direct, "users:export")
    gone = await create(direct, scopes=["users:export"], is_active=False)
    said = {"recipients": [reader["id"], ben["id"], gone["id"], NOBODY]}
    wrong = {f"/recipients/{place}" for place in (0, 2, 3)}
    assert pointers(await call(direct, "POST", SCHEDULES, ana["token"], json=SAID | said)) == wrong
    path = f"{SCHEDULES}/{(await schedule(direct, ana))['id']}"
    assert pointers(await call(direct, "PATCH", path, ana["token"], json=said)) == wrong
    for recipients, pointer in (
        (["x"], "/recipients/0"),
        ([ben["id"]] * 21, "/recipients"),
        (None, "/recipients"),
    ):
        reply = await call(direct, "PATCH", path, ana["token"], json={"recipients": recipients})
        assert pointers(reply) == {pointer}


async def test_destination_and_recipients_are_changed_and_taken_away(
    direct: httpx.AsyncClient, ana: dict[str, Any]
) -> None:
    made = await schedule(direct, ana, destination=f"{PLACE}/a.csv", recipients=[ana["id"]])
    path = f"{SCHEDULES}/{made['id']}"
    renamed = (await call(direct, "PATCH", path, ana["token"], json={"name": "x"})).json()
    assert renamed == made | {"name": "x"}
    changes: dict[str, Any] = {"destination": None, "recipients": []}
    bare = (await call(direct, "PATCH", path, ana["token"], json=changes)).json()
    assert bare == renamed | changes
    old = {"$unset": {"destination": "", "recipients": ""}}  # as the release before stores it
    await database(direct)["schedules"].update_one({"_id": ObjectId(made["id"])}, old)
    assert (await call(direct, "GET", path, ana["token"])).json() == bare
    assert (await run(direct, made))["state"] == "succeeded"


async def test_recipients_need_mail(client: httpx.AsyncClient) -> None:
    user = await create(client, scopes=["users:export"])
    problem(await client.post(SCHEDULES, json=SAID | {"recipients": [user["id"]]}), 409, "mail_off")
