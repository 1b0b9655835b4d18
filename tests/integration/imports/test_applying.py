"""Planned rows become users: each once, and none over what others did meanwhile."""

import asyncio
from functools import partial

import bcrypt
import httpx
import pytest
from bson import ObjectId

from app.imports.import_records import ImportRecords
from app.users.changes import OWNED
from tests.support.applying import (
    apply,
    change,
    creation,
    deletion,
    plan,
    resources,
    statuses,
    write_together,
)
from tests.support.sessions import ALIVE, add_person, fate, sign_in
from tests.support.users import create, read, until, users


async def test_rows_become_users_and_a_second_time_nothing(client: httpx.AsyncClient) -> None:
    ana, ben, cleo = [await create(client) for _ in range(3)]
    rows = [creation(name=f"New {n}") for n in range(450)]
    rows += [change(ana, name="Anna"), change(ben, tags=["staff"]), deletion(cleo)]
    import_id = await plan(client, rows)
    assert await apply(client, import_id) == [0, 200, 400, 453]
    assert await statuses(client, import_id) == ["created"] * 450 + ["updated"] * 2 + ["deleted"]
    assert await users(client).count_documents({}) == 452
    anna = await read(client, ana)
    assert (anna["name"], anna["version"]) == ("Anna", 2)
    assert anna["updated_at"] > ana["updated_at"]
    assert (await read(client, ben))["tags"] == ["staff"]
    assert (await client.get(f"/users/{cleo['id']}")).status_code == 404
    found = await client.get("/users", params={"q": "new 449"})
    first = found.json()["items"][0]
    assert (first["name"], first["id"]) == ("New 449", str(rows[449]["user"]))
    before = await users(client).find({}).sort("_id", 1).to_list()
    assert await apply(client, import_id) == [453]
    assert await users(client).find({}).sort("_id", 1).to_list() == before


async def test_what_others_did_meanwhile_is_a_conflict_that_names_the_field_or_the_version(
    client: httpx.AsyncClient,
) -> None:
    edited, deleted, gone, taken = [await create(client) for _ in range(4)]
    rows = [
        change(edited, name="From the file"),
        deletion(edited),
        change(deleted, name="From the file"),
        deletion(gone),
        change(taken, email="taken@example.com"),
        creation(email="TAKEN@example.com"),
        creation(username="free.one"),
    ]
    import_id = await plan(client, rows)
    await client.patch(f"/users/{edited['id']}", json={"name": "By hand"})
    for user in (deleted, gone):
        await client.delete(f"/users/{user['id']}")
    await create(client, email="taken@example.com")
    await apply(client, import_id)
    assert await statuses(client, import_id) == [
        "conflict", "conflict", "conflict", "unchanged", "conflict", "conflict", "created",
    ]  # fmt: skip
    assert (await read(client, edited))["name"] == "By hand"
    assert (await read(client, taken))["email"] == taken["email"]
    found = (
        await ImportRecords(resources(client).connections.database)
        .rows.find({"import": import_id})
        .sort("n", 1)
        .to_list()
    )
    assert [error["code"] for row in found for error in row["errors"]] == [
        "version_mismatch", "version_mismatch", "user_not_found", "already_exists", "already_exists",
    ]  # fmt: skip
    assert "to 2" in found[0]["errors"][0]["detail"]
    assert (found[5]["errors"][0]["pointer"], found[5]["errors"][0]["column"]) == ("/email", "E-Mail")


async def test_what_others_did_alike_is_unchanged(client: httpx.AsyncClient) -> None:
    ana = await create(client)
    rows = [change(ana, name="Anna"), *(creation(username=f"twin{n}") for n in range(3))]
    others = [rows[0], *(row | {"user": ObjectId()} for row in rows[1:])]
    import_id, again = await plan(client, rows), await plan(client, others)
    await apply(client, import_id)
    await apply(client, again)
    assert await statuses(client, again) == ["unchanged"] * 4
    assert (await read(client, ana))["version"] == 2
    assert await users(client).count_documents({}) == 4


async def test_of_two_imports_of_the_same_file_at_once_each_row_is_done_by_one(
    client: httpx.AsyncClient,
) -> None:
    rows = [creation() for _ in range(1000)]
    others = [row | {"user": creation()["user"]} for row in rows]
    one, other = await plan(client, rows), await plan(client, others)
    await asyncio.gather(apply(client, one), apply(client, other))
    outcomes = list(zip(await statuses(client, one), await statuses(client, other), strict=True))
    assert {frozenset(pair) for pair in outcomes} == {frozenset({"created", "unchanged"})}
    assert await users(client).count_documents({}) == 1000


async def test_workers_at_one_import_share_its_rows(client: httpx.AsyncClient) -> None:
    people = [await create(client) for _ in range(20)]
    rows = [creation() for _ in range(1000)]
    rows += [change(user, name="Changed") for user in people[:10]] + [deletion(user) for user in people[10:]]
    import_id = await plan(client, rows)
    await asyncio.gather(*(apply(client, import_id) for _ in range(3)))
    assert await statuses(client, import_id) == ["created"] * 1000 + ["updated"] * 10 + ["deleted"] * 10
    assert {row["version"] async for row in users(client).find({"name": "Changed"})} == {2}
    assert await users(client).count_documents({}) == 1010


async def test_users_who_are_deactivated_lose_a_scope_or_are_deleted_are_signed_out(
    client: httpx.AsyncClient,
) -> None:
    off, narrowed, gone, renamed, widened = [await add_person(client) for _ in range(5)]
    tokens = [await sign_in(client, user) for user in (off, narrowed, gone, renamed, widened)]
    rows = [
        change(off, is_active=False),
        change(narrowed, scopes=["users:read"]),
        deletion(gone),
        change(renamed, name="Renamed"),
        change(widened, scopes=["me", "users:read", "users:export"]),
    ]
    await apply(client, await plan(client, rows))
    fates = [await fate(client, each) for each in tokens]
    assert fates[0] == fates[2] == "session_revoked"
    assert fates[1] == "session_revoked"
    assert fates[3:] == [ALIVE, ALIVE]


async def test_a_change_that_is_refused_ends_no_session(client: httpx.AsyncClient) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    import_id = await plan(client, [change(user, is_active=False)])
    await client.patch(f"/users/{user['id']}", json={"name": "By hand"})
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["conflict"]
    assert await fate(client, tokens) == ALIVE


async def test_hashes_of_passwords_sign_in_and_end_the_sessions_of_before(client: httpx.AsyncClient) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    brought = "brought from elsewhere"
    hashed = {"password_hash": bcrypt.hashpw(brought.encode(), bcrypt.gensalt(4)).decode()}
    new = creation() | hashed
    await apply(client, await plan(client, [new, change(user) | hashed]))
    assert await fate(client, tokens) == "session_revoked"
    for each in (user, new["said"]):
        assert await fate(client, await sign_in(client, each, password=brought)) == ALIVE


async def test_edits_by_hand_during_an_import_are_kept_or_came_after_it(client: httpx.AsyncClient) -> None:
    people = [await create(client, profile={"age": 1}) for _ in range(40)]
    import_id = await plan(client, [change(user, name="From the file") for user in people])
    applying = asyncio.create_task(apply(client, import_id))
    edits = (client.patch(f"/users/{user['id']}", json={"profile": {"age": 2}}) for user in people)
    assert {reply.status_code for reply in await asyncio.gather(*edits)} == {200}
    await applying
    outcomes = await statuses(client, import_id)
    for user, outcome in zip(people, outcomes, strict=True):
        now = await read(client, user)
        assert now["profile"]["age"] == 2
        assert (now["name"], now["version"]) == {
            "updated": ("From the file", 3),
            "conflict": ("Ana", 2),
        }[outcome]


async def test_a_user_who_was_imported_is_stored_as_one_who_was_created(client: httpx.AsyncClient) -> None:
    row = creation(
        username="zoë", phone="+34600000000", tags=["a", "b"], profile={"addresses": [{"city": "Léon"}]}
    )
    await apply(client, await plan(client, [row]))
    imported = await users(client).find_one_and_delete({})
    said = row["said"]
    assert (await client.post("/users", json=said)).status_code == 201
    created = await users(client).find_one({})
    for each in ("_id", "created_at", "updated_at"):
        assert type(imported.pop(each)) is type(created.pop(each))
    assert imported == created


async def test_a_worker_whose_session_is_ended_loses_and_repeats_nothing(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(monkeypatch, 20)
    import_id = await plan(client, [creation() for _ in range(1000)])
    applying = asyncio.create_task(apply(client, import_id))
    database = resources(client).connections.database

    async def has(count: int) -> bool:
        return applying.done() or await users(client).count_documents({}) >= count

    for count in range(100, 1000, 100):
        await until(partial(has, count))
        found = await ImportRecords(database).imports.find_one({"_id": import_id})
        ended = [{"id": session} for session in (found or {}).get("sessions", ())]
        if ended:  # an empty list would mean all sessions of everybody
            await database.client.admin.command("killSessions", ended)
    await applying
    assert await statuses(client, import_id) == ["created"] * 1000
    assert await users(client).count_documents({}) == 1000


async def test_every_query_of_applying_goes_through_an_index(client: httpx.AsyncClient) -> None:
    edited, ben, cleo = [await create(client) for _ in range(3)]
    rows = [creation() for _ in range(250)]
    rows += [
        change(edited, name="x"),
        change(ben, name="x"),
        deletion(cleo),
        creation(email=ben["email"], name="Other"),
    ]
    import_id = await plan(client, rows)
    await client.patch(f"/users/{edited['id']}", json={"name": "By hand"})
    opened = resources(client).connections.database
    await opened.command("profile", 2)
    await apply(client, import_id)
    await opened.command("profile", 0)
    assert set(await statuses(client, import_id)) == {"created", "updated", "deleted", "conflict"}
    noted = await opened["system.profile"].find({"planSummary": {"$exists": True}}).to_list()
    asked = {(entry["ns"].partition(".")[2], entry["planSummary"]) for entry in noted}
    assert {name for name, _ in asked} == {"audit", "imports", "import_rows", "terms", "users", *OWNED}
    assert not [each for each in asked if "COLLSCAN" in each[1]]
    assert not [entry for entry in noted if entry.get("hasSortStage")]
    assert max(entry.get("docsExamined", 0) for entry in noted) <= len(rows)
