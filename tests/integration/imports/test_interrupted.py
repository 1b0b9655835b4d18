"""Runs that are stopped after they wrote users and before they wrote the rows: the next run finds out."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect

from app.audit.write import Author, Entry
from app.imports import new_users, row_batches
from app.imports.row_writer import RowWriter
from app.jobs import JobCancelledError, Viewer
from tests.support.applying import (
    Row,
    apply,
    change,
    creation,
    import_of,
    plan,
    resources,
    statuses,
    write_together,
)
from tests.support.sessions import add_person, fate, sign_in
from tests.support.users import create, database, read, users


async def interrupt(client: httpx.AsyncClient, rows: list[Row]) -> None:
    """Write the users as a run does that is killed then."""
    standing = {row["user"]: await users(client).find_one({"_id": row["user"]}) for row in rows}
    batch = row_batches.prepare(rows, {key: user for key, user in standing.items() if user}, Author())
    with suppress(AutoReconnect):
        async with resources(client).users.end_all(list(map(str, batch.plain.ended))):
            written = await users(client).bulk_write(batch.plain.writes, ordered=False)
            assert written.modified_count == len(rows)
            raise AutoReconnect


async def make(client: httpx.AsyncClient, rows: list[Row], import_id: ObjectId) -> None:
    """Make the users as a run does that is killed then."""
    batch = row_batches.prepare(rows, {}, Author())
    await users(client).bulk_write(batch.new.writes)
    begun = {"begun": len(rows) + 100}
    await database(client)["imports"].update_one({"_id": import_id}, {"$set": begun})


async def trail(client: httpx.AsyncClient, user: dict[str, Any]) -> list[tuple[int, Any]]:
    """The versions of a user's entries after the first, each with the import that made it."""
    entries = database(client)["audit"].find({"user": ObjectId(user["id"]), "version": {"$gt": 1}})
    return [(entry["version"], entry["import"]) async for entry in entries.sort("version", 1)]


async def test_users_whom_a_killed_run_wrote_are_not_written_again_and_get_their_trail(
    client: httpx.AsyncClient,
) -> None:
    ana, ben = await create(client), await create(client)
    rows = [change(ana, name="Anna"), change(ben, name="Benno")]
    import_id = await plan(client, rows)
    await interrupt(client, rows[:1])
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["updated"] * 2
    for user, name in ((ana, "Anna"), (ben, "Benno")):
        now = await read(client, user)
        assert (now["name"], now["version"]) == (name, 2)
        assert await trail(client, user) == [(2, import_id)]


async def test_a_user_whom_others_changed_after_the_killed_run_keeps_that_and_both_are_told(
    client: httpx.AsyncClient,
) -> None:
    ana = await create(client)
    rows = [change(ana, name="Anna")]
    import_id = await plan(client, rows)
    await interrupt(client, rows)
    assert (await client.patch(f"/users/{ana['id']}", json={"name": "By hand"})).status_code == 200
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["updated"]
    assert (await read(client, ana))["name"] == "By hand"
    assert await trail(client, ana) == [(2, import_id), (3, None)]


async def test_a_user_whom_others_changed_alike_or_otherwise_is_not_taken_for_one_of_a_killed_run(
    client: httpx.AsyncClient,
) -> None:
    alike, otherwise, interrupted = [await create(client) for _ in range(3)]
    rows = [change(user, name="As planned") for user in (alike, otherwise, interrupted)]
    import_id = await plan(client, rows)
    await client.patch(f"/users/{alike['id']}", json={"name": "As planned"})
    await client.patch(f"/users/{otherwise['id']}", json={"name": "By hand"})
    await interrupt(client, rows[2:])
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["unchanged", "conflict", "updated"]
    assert [await trail(client, user) for user in (alike, otherwise, interrupted)] == [
        [(2, None)], [(2, None)], [(2, import_id)]
    ]  # fmt: skip


async def test_sessions_of_a_user_whom_a_killed_run_deactivated_end(client: httpx.AsyncClient) -> None:
    user, other = await add_person(client), await add_person(client)
    tokens = [await sign_in(client, each) for each in (user, other)]
    rows = [change(await read(client, each), is_active=False) for each in (user, other)]
    import_id = await plan(client, rows)
    await interrupt(client, rows[:1])
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["updated"] * 2
    assert [await fate(client, each) for each in tokens] == ["session_revoked"] * 2


async def test_a_row_that_another_worker_took_meanwhile_leaves_the_others_to_be_taken(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await create(client) for _ in range(3)]
    rows = [change(user, name="As planned") for user in people]
    import_id = await plan(client, rows)
    tell, told = RowWriter._tell, list[int]()

    async def take_one_first(self: RowWriter, rows: Sequence[tuple[Row, Entry]]) -> None:
        told.append(len(rows))
        await tell(self, rows[:1] if len(told) == 1 else rows)
        if len(told) == 1:
            await tell(self, rows)

    monkeypatch.setattr(RowWriter, "_tell", take_one_first)
    await apply(client, import_id)
    assert told == [3, 2]
    assert await statuses(client, import_id) == ["updated"] * 3
    assert [await trail(client, user) for user in people] == [[(2, import_id)]] * 3


async def test_users_whom_a_killed_run_made_are_made_once_and_get_their_trail(
    client: httpx.AsyncClient,
) -> None:
    rows = [creation() for _ in range(3)]
    import_id = await plan(client, rows)
    await make(client, rows[:2], import_id)
    assert (await client.patch(f"/users/{rows[0]['user']}", json={"name": "By hand"})).status_code == 200
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["created"] * 3
    assert await users(client).count_documents({}) == 3
    assert (await users(client).find_one({"_id": rows[0]["user"]}) or {})["name"] == "By hand"
    made = database(client)["audit"].find({"import": import_id, "action": "created"})
    assert {entry["user"] async for entry in made} == {row["user"] for row in rows}
    assert "begun" not in await import_of(client, import_id)


async def test_a_user_whom_a_killed_run_made_and_others_deleted_stays_deleted_without_values(
    client: httpx.AsyncClient,
) -> None:
    rows = [creation() for _ in range(2)]
    import_id = await plan(client, rows)
    await make(client, rows[:1], import_id)
    assert (await client.delete(f"/users/{rows[0]['user']}")).status_code == 204
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["created"] * 2
    assert [user["_id"] async for user in users(client).find({})] == [rows[1]["user"]]
    told = await database(client)["audit"].find_one({"user": rows[0]["user"], "action": "created"})
    assert told is not None
    assert told["forgotten"]
    assert not [each for each in told["differences"] if each.get("to") == rows[0]["said"]["email"]]


async def test_a_run_that_is_late_makes_no_user_again_whom_others_have_deleted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [creation()]
    import_id = await plan(client, rows)
    insert, is_late = new_users.insert, [True]

    async def freeze_first(*given: Any, **named: Any) -> Any:
        if is_late.pop():
            is_late.append(False)
            await apply(client, import_id)
            assert (await client.delete(f"/users/{rows[0]['user']}")).status_code == 204
        else:
            is_late.append(False)
        return await insert(*given, **named)

    monkeypatch.setattr(new_users, "insert", freeze_first)
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["created"]
    assert await users(client).count_documents({}) == 0


@pytest.mark.parametrize("way", ["revert", "delete"])
async def test_what_a_killed_run_made_has_its_trail_before_its_import_is_reverted_or_deleted(
    client: httpx.AsyncClient, way: str
) -> None:
    ana = await create(client)
    rows = [creation(), change(ana, name="Anna"), creation()]
    import_id = await plan(client, rows)
    await make(client, rows[:1], import_id)
    await interrupt(client, rows[1:2])
    if way == "revert":
        reply = await client.post(f"/users/imports/{import_id}/revert", headers={"Prefer": "wait=0"})
        assert reply.status_code == 202, reply.text
        assert await statuses(client, import_id) == ["created", "updated", "create"]
    else:
        assert (await client.delete(f"/users/imports/{import_id}")).status_code == 204
    told = database(client)["audit"].find({"import": import_id})
    assert {(entry["user"], entry["action"]) async for entry in told} == {
        (rows[0]["user"], "created"), (rows[1]["user"], "changed"),
    }  # fmt: skip


async def test_a_cancelled_run_ends_the_batches_it_has_begun(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(monkeypatch, 20)
    import_id = await plan(client, [creation() for _ in range(400)])

    async def stop(done: int, _: int) -> None:
        if done:
            raise JobCancelledError

    opened = resources(client)
    with pytest.raises(JobCancelledError):
        await opened.imports.carry_out(await import_of(client, import_id), stop)
    made = Counter(await statuses(client, import_id))
    assert 20 <= made["created"] < 400
    assert await users(client).count_documents({}) == made["created"]
    assert await database(client)["audit"].count_documents({"import": import_id}) == made["created"]
    assert "begun" not in await import_of(client, import_id)


async def test_what_a_killed_run_has_begun_is_settled_when_its_job_is_cancelled_before_it_goes_on(
    client: httpx.AsyncClient,
) -> None:
    ana, ben = await create(client), await create(client)
    rows = [change(user, name="As planned") for user in (ana, ben)]
    import_id = await plan(client, rows)
    await interrupt(client, rows[:1])
    job = await resources(client).jobs.submit("import_apply", str(import_id), result=None, by=None)
    begun = {"state": "applying", "apply_job": str(job.id), "begun": 100, "bulk": {"change": None}}
    await database(client)["imports"].update_one({"_id": import_id}, {"$set": begun})
    shown = await resources(client).bulk.cancel(import_id, Viewer("", is_admin=True))
    assert shown.state == "cancelled"
    assert await statuses(client, import_id) == ["updated", "update"]
    assert [await trail(client, user) for user in (ana, ben)] == [[(2, import_id)], []]
