"""Imports from the file to the users, over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.api import serving
from tests.support.applying import (
    apply_plan,
    change,
    creation,
    import_of,
    plan,
    resources,
    statuses,
    write_together,
)
from tests.support.imports import counted
from tests.support.imports import plan as plan_file
from tests.support.sessions import add_person, bearing, sign_in
from tests.support.tokens import mint
from tests.support.users import NOBODY, create, database, problem, read, until, users


@pytest.fixture
async def working(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that works on jobs."""
    async with serving(mongo_uri, redis_url, jobs_inside=True) as opened:
        yield opened


async def test_a_file_is_planned_then_applied_and_a_second_time_nothing(working: httpx.AsyncClient) -> None:
    ana, ben = [await create(working) for _ in range(2)]
    file = (
        "id,email,name,delete\r\n"
        f"{ana['id']},{ana['email']},Anna,\r\n"
        f"{ben['id']},{ben['email']},Ana,yes\r\n"
        ",new@example.com,Neu,\r\n"
        f"{NOBODY},,Nobody,\r\n"
    )
    planned = await plan_file(working, file)
    assert counted(planned) == {"create": 1, "update": 1, "delete": 1, "error": 1}
    assert (await read(working, ana))["name"] == "Ana"
    applied = await apply_plan(working, planned)
    assert counted(applied) == {"created": 1, "updated": 1, "deleted": 1, "error": 1}
    assert applied["applied_at"] is not None
    assert [row["status"] for row in applied["items"]] == ["updated", "deleted", "created", "error"]
    assert (await read(working, ana))["name"] == "Anna"
    new = (await working.get(f"/users/{applied['items'][2]['id']}")).json()
    assert new["email"] == "new@example.com"
    job = (await working.get(f"/jobs/{applied['apply_job']}")).json()
    assert (job["kind"], job["state"], job["progress"]) == (
        "import_apply",
        "succeeded",
        {"done": 3, "total": 3},
    )
    before = await users(working).find({}).sort("_id", 1).to_list()
    assert await apply_plan(working, planned) == applied
    assert await users(working).find({}).sort("_id", 1).to_list() == before


async def test_callers_who_will_not_wait_are_told_where_to_look(client: httpx.AsyncClient) -> None:
    import_id = await plan(client, [creation()])
    reply = await client.post(f"/users/imports/{import_id}/apply", headers={"Prefer": "wait=0"})
    assert (reply.status_code, reply.json()["state"]) == (202, "applying")
    assert reply.headers["location"] == f"/users/imports/{import_id}"
    assert int(reply.headers["retry-after"]) >= 1
    again = await client.post(f"/users/imports/{import_id}/apply", headers={"Prefer": "wait=0"})
    assert again.json()["apply_job"] == reply.json()["apply_job"]


async def test_an_import_without_a_plan_is_not_applied(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "text/csv", "Prefer": "wait=0"}
    reply = await client.post("/users/import", content="email,name\na@example.com,Ana\n", headers=headers)
    assert reply.status_code == 202
    problem(await client.post(f"/users/imports/{reply.json()['id']}/apply"), 409, "import_not_planned")
    problem(await client.post(f"/users/imports/{NOBODY}/apply"), 404, "import_not_found")


async def test_a_plan_that_is_about_to_expire_is_not_begun(client: httpx.AsyncClient) -> None:
    import_id = await plan(client, [creation()])
    soon = {"expires_at": datetime.now(UTC) + timedelta(minutes=59)}
    await database(client)["imports"].update_one({"_id": import_id}, {"$set": soon})
    problem(await client.post(f"/users/imports/{import_id}/apply"), 409, "import_not_planned")


async def test_a_plan_is_applied_by_who_made_it_and_by_administrators(client: httpx.AsyncClient) -> None:
    opened = resources(client)
    writer = {"Authorization": f"Bearer {await mint(opened, 'users:write')}"}
    import_id = await plan(client, [creation()])
    problem(await client.post(f"/users/imports/{import_id}/apply", headers=writer), 404, "import_not_found")
    reader = {"Authorization": f"Bearer {await mint(opened, 'users:read')}"}
    problem(await client.post(f"/users/imports/{import_id}/apply", headers=reader), 403, "insufficient_scope")
    headers = {"Prefer": "wait=0"}
    reply = await client.post(f"/users/imports/{import_id}/apply", headers=headers)
    assert reply.status_code == 202


async def test_what_was_planned_as_an_administrator_is_not_applied_with_less(
    client: httpx.AsyncClient,
) -> None:
    admin = await add_person(client, scopes=["users:write", "users:admin"])
    whole, less = [
        bearing(await sign_in(client, admin, scope=scope))
        for scope in ("users:write users:admin", "users:write")
    ]
    import_id = await plan(client, [creation()])
    mine = {"by": admin["id"], "scopes": ["users:admin", "users:write"]}
    await database(client)["imports"].update_one({"_id": import_id}, {"$set": mine})
    path = f"/users/imports/{import_id}/apply"
    problem(await client.post(path, headers=less), 403, "insufficient_scope")
    assert (await client.post(path, headers=whole | {"Prefer": "wait=0"})).status_code == 202


async def test_a_job_that_is_cancelled_leaves_what_was_done_and_another_goes_on(
    working: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(monkeypatch, 5)
    ana = await create(working)
    import_id = await plan(working, [*(creation() for _ in range(500)), change(ana, name="Anna")])
    begun = await working.post(f"/users/imports/{import_id}/apply", headers={"Prefer": "wait=0"})

    async def some_are_there() -> bool:
        return bool(await users(working).count_documents({}) > 20)

    await until(some_are_there)
    await working.post(f"/jobs/{begun.json()['apply_job']}/cancel")
    await resources(working).jobs.wait(begun.json()["apply_job"], 30)
    shown = (await working.get(f"/users/imports/{import_id}")).json()
    assert shown["state"] == "cancelled"
    done = shown["counts"]["created"]
    assert 20 <= done < 500
    assert await users(working).count_documents({}) == done + 1
    assert shown["counts"]["create"] + done == 500
    await apply_plan(working, shown)
    assert await statuses(working, import_id) == ["created"] * 500 + ["updated"]
    assert (await import_of(working, import_id))["counts"]["created"] == 500
    assert (await read(working, ana))["version"] == 2
