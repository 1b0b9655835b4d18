"""The undoing of imports, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from bson import ObjectId

from app.imports.import_records import ImportRecords
from tests.support.applying import apply_plan, creation, resources, write_together
from tests.support.applying import plan as plan_by_hand
from tests.support.identity import hash_of
from tests.support.imports import Plan, counted, errors_of, importing, plan
from tests.support.tokens import mint
from tests.support.users import NOBODY, create, database, problem, read, users


@pytest.fixture
async def working(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that works on jobs."""
    async with importing(mongo_uri, redis_url) as opened:
        yield opened


async def imported(client: httpx.AsyncClient, *lines: str) -> Plan:
    """A CSV, planned and applied."""
    return await apply_plan(client, await plan(client, "\n".join(lines) + "\n"))


async def ask(client: httpx.AsyncClient, applied: Plan) -> httpx.Response:
    return await client.post(f"/users/imports/{applied['id']}/revert", headers={"Prefer": "wait=30"})


async def reverted(client: httpx.AsyncClient, applied: Plan) -> Plan:
    reply = await ask(client, applied)
    assert reply.status_code == 201, reply.text
    found: Plan = reply.json()
    return found


def known(user: dict[str, Any]) -> dict[str, Any]:
    """What is said of a user, without what every write changes."""
    return {name: value for name, value in user.items() if name not in ("version", "updated_at")}


async def test_a_revert_deletes_who_was_created_and_gives_back_what_was_changed(
    working: httpx.AsyncClient,
) -> None:
    home = {"city": "Bonn", "country": "DE"}
    ana = await create(working, tags=["a"], profile={"title": "Designer", "addresses": [home]})
    applied = await imported(
        working,
        "email,name,tags,title,address1_city,address2_city",
        f"{ana['email']},Anna,b,,Berlin,Rome",
        "new@example.com,Neu,,,,",
    )
    assert counted(applied) == {"created": 1, "updated": 1}
    planned = await reverted(working, applied)
    assert (planned["file"], planned["reverts"], planned["state"]) == (None, applied["id"], "planned")
    assert counted(planned) == {"update": 1, "delete": 1}
    assert (await read(working, ana))["name"] == "Anna"
    assert counted(await apply_plan(working, planned)) == {"updated": 1, "deleted": 1}
    assert known(await read(working, ana)) == known(ana)
    assert (await working.get(f"/users/{applied['items'][1]['id']}")).status_code == 404


async def test_a_field_that_was_changed_since_is_a_conflict_and_other_changes_stay(
    working: httpx.AsyncClient,
) -> None:
    ana, ben = [await create(working, name="Old") for _ in range(2)]
    applied = await imported(working, "email,name", f"{ana['email']},New", f"{ben['email']},New")
    await working.patch(f"/users/{ana['id']}", json={"name": "Newest"})
    await working.patch(f"/users/{ben['id']}", json={"locale": "de"})
    planned = await reverted(working, applied)
    assert [row["status"] for row in planned["items"]] == ["conflict", "update"]
    assert errors_of(planned["items"][0]) == {("changed_since", "/name", None)}
    await apply_plan(working, planned)
    assert (await read(working, ana))["name"] == "Newest"
    after = await read(working, ben)
    assert (after["name"], after["locale"]) == ("Old", "de")


async def test_a_created_user_who_was_changed_since_stays(working: httpx.AsyncClient) -> None:
    applied = await imported(working, "email,name", "new@example.com,Neu")
    user_id = applied["items"][0]["id"]
    await working.patch(f"/users/{user_id}", json={"profile": {"title": "Chief"}})
    [row] = (await reverted(working, applied))["items"]
    assert (row["status"], row["id"]) == ("conflict", user_id)
    assert errors_of(row) == {("changed_since", "/profile/title", None)}


async def test_a_created_user_whose_later_changes_cancel_out_is_deleted(working: httpx.AsyncClient) -> None:
    applied = await imported(working, "email,name,title", "new@example.com,Neu,Chief")
    renamed = await imported(working, "email,name,title,tags", "new@example.com,Newer,,a")
    await apply_plan(working, await reverted(working, renamed))
    planned = await reverted(working, applied)
    assert counted(planned) == {"delete": 1}
    assert counted(await apply_plan(working, planned)) == {"deleted": 1}


async def test_a_created_user_whose_password_was_set_since_stays(working: httpx.AsyncClient) -> None:
    applied = await imported(working, "email,name", "new@example.com,Neu")
    user_id = applied["items"][0]["id"]
    await working.put(f"/users/{user_id}/password", json={"password_hash": hash_of("one of their own")})
    [row] = (await reverted(working, applied))["items"]
    assert (row["status"], row["id"]) == ("conflict", user_id)
    assert errors_of(row) == {("changed_since", "/password", None)}


async def test_what_cannot_be_undone_is_said_in_the_plan(working: httpx.AsyncClient) -> None:
    ana, ben, cem, dan = [await create(working) for _ in range(4)]
    applied = await imported(
        working,
        "email,is_active,title,delete",
        f"{ana['email']},,,yes",
        f"{ben['email']},FALSE,,",
        f"{cem['email']},,Chief,",
        f"{dan['email']},,Chief,",
    )
    await database(working)["audit"].delete_many({"user": ObjectId(cem["id"])})
    await working.delete(f"/users/{dan['id']}")
    rows = (await reverted(working, applied))["items"]
    assert [row["status"] for row in rows] == ["error", "update", "error", "conflict"]
    codes = [[bad["code"] for bad in row["errors"]] for row in rows]
    assert codes == [["not_undone"], ["not_undone"], ["not_undone"], ["changed_since"]]
    assert "Sessions" in rows[1]["errors"][0]["detail"]


async def test_a_password_that_an_import_set_stays_and_the_plan_says_so(working: httpx.AsyncClient) -> None:
    ana = await create(working, name="Old")
    hashed = hash_of("a password of before")
    applied = await imported(working, "email,name,password_hash", f'{ana["email"]},New,"{hashed}"')
    assert counted(applied) == {"updated": 1}
    planned = await reverted(working, applied)
    [row] = planned["items"]
    assert errors_of(row) == {("not_undone", "/password_hash", None), ("not_undone", None, None)}
    await apply_plan(working, planned)
    assert (await read(working, ana))["name"] == "Old"
    stored = await users(working).find_one({"_id": ObjectId(ana["id"])})
    assert stored["credentials"]["password_hash"] == hashed


async def test_an_import_is_reverted_once_until_that_revert_is_deleted(working: httpx.AsyncClient) -> None:
    ana = await create(working, name="Old")
    applied = await imported(working, "email,name", f"{ana['email']},New")
    planned = await reverted(working, applied)
    said = problem(await ask(working, applied), 409, "import_reverted")
    assert planned["id"] in said["detail"]
    await apply_plan(working, planned)
    problem(await ask(working, applied), 409, "import_reverted")
    await working.delete(f"/users/imports/{planned['id']}")
    assert counted(await reverted(working, applied)) == {"unchanged": 1}


async def test_a_revert_is_reverted_itself(working: httpx.AsyncClient) -> None:
    ana = await create(working, name="Old")
    applied = await imported(working, "email,name", f"{ana['email']},New", "new@example.com,Neu")
    back = await apply_plan(working, await reverted(working, applied))
    again = await reverted(working, back)
    assert [row["status"] for row in again["items"]] == ["update", "error"]
    await apply_plan(working, again)
    assert (await read(working, ana))["name"] == "New"


async def test_the_rows_of_a_revert_are_downloaded(working: httpx.AsyncClient) -> None:
    applied = await imported(working, "email,name", "new@example.com,Neu")
    planned = await reverted(working, applied)
    reply = await working.get(f"/users/imports/{planned['id']}/rows.xlsx")
    assert (reply.status_code, reply.content[:2]) == (200, b"PK")


async def test_what_was_not_applied_or_is_not_there_is_not_reverted(working: httpx.AsyncClient) -> None:
    planned = await plan(working, "email,name\nnew@example.com,Neu\n")
    problem(await ask(working, planned), 409, "import_not_applied")
    problem(await ask(working, {"id": NOBODY}), 404, "import_not_found")
    writer = {"Authorization": f"Bearer {await mint(resources(working), 'users:write')}"}
    reply = await working.post(f"/users/imports/{planned['id']}/revert", headers=writer)
    problem(reply, 404, "import_not_found")


async def test_an_import_that_is_being_applied_is_not_reverted(client: httpx.AsyncClient) -> None:
    import_id = await plan_by_hand(client, [creation()])
    await client.post(f"/users/imports/{import_id}/apply", headers={"Prefer": "wait=0"})
    problem(await client.post(f"/users/imports/{import_id}/revert"), 409, "import_applying")


async def test_of_an_import_cancelled_half_way_what_was_done_is_undone(working: httpx.AsyncClient) -> None:
    applied = await imported(working, "email,name", "one@example.com,One", "two@example.com,Two")
    half = {"import": ObjectId(applied["id"])}
    await database(working)["imports"].update_one(
        {"_id": half["import"]}, {"$set": {"state": "cancelled", "applied_at": None}}
    )
    await database(working)["import_rows"].update_one(half | {"n": 2}, {"$set": {"status": "create"}})
    planned = await reverted(working, applied)
    assert counted(planned) == {"delete": 1}
    assert planned["items"][0]["id"] == applied["items"][0]["id"]


async def test_of_reverts_that_are_asked_for_at_once_one_is_planned(working: httpx.AsyncClient) -> None:
    applied = await imported(working, "email,name", "one@example.com,One")
    replies = await asyncio.gather(*(ask(working, applied) for _ in range(3)))
    assert sorted(reply.status_code for reply in replies) == [201, 409, 409]
    for reply in replies:
        if reply.status_code != 201:
            problem(reply, 409, "import_reverted")


class _StoppedError(Exception):
    """What a worker that is killed in mid-revert leaves behind, without the process."""


async def test_a_revert_that_was_stopped_goes_on_and_does_nothing_twice(
    working: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(monkeypatch, 1)
    olds = [await create(working, name="Old") for _ in range(3)]
    applied = await imported(working, "email,name", *(f"{user['email']},New" for user in olds))
    planned = await reverted(working, applied)
    opened, revert_id = resources(working), ObjectId(planned["id"])

    async def stop(done: int, _: int) -> None:
        if done:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        await opened.imports.carry_out(await ImportRecords(opened.connections.database).read(revert_id), stop)
    assert counted(await apply_plan(working, planned)) == {"updated": 3}
    assert [(await read(working, user))["name"] for user in olds] == ["Old"] * 3
    written = await database(working)["audit"].find({"import": revert_id}).to_list()
    assert sorted(entry["user"] for entry in written) == sorted(ObjectId(user["id"]) for user in olds)


async def test_a_revert_leaves_the_last_administrator(working: httpx.AsyncClient) -> None:
    ana = await create(working)
    await users(working).update_one(
        {"_id": ObjectId(ana["id"])}, {"$set": {"credentials.password_hash": "$2b$12$" + "a" * 53}}
    )
    applied = await imported(working, "email,scopes", f'{ana["email"]},"users:admin"')
    assert counted(applied) == {"updated": 1}
    [row] = (await apply_plan(working, await reverted(working, applied)))["items"]
    assert (row["status"], [bad["code"] for bad in row["errors"]]) == ("conflict", ["last_administrator"])
    assert (await read(working, ana))["scopes"] == ["users:admin"]
