"""Bulk changes as they are applied and undone: exactly the plan, each user once, with the usual effects."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from bson import ObjectId

from app.core import clock
from tests.support.applying import resources, write_together
from tests.support.bulk import apply, follow, plan
from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, errors_of, importing
from tests.support.sessions import ALIVE, add_person, bearing, fate, sign_in
from tests.support.tokens import mint
from tests.support.users import NOBODY, create, database, find, problem, read, until, users


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


async def trail(client: httpx.AsyncClient, planned: dict[str, Any]) -> list[dict[str, Any]]:
    found = database(client)["audit"].find({"import": ObjectId(planned["id"])})
    return [entry async for entry in found.sort("_id", 1)]


def known(user: dict[str, Any]) -> dict[str, Any]:
    """What is said of a user, without what every write changes."""
    return {name: value for name, value in user.items() if name not in ("version", "updated_at")}


async def test_users_get_the_change_of_the_plan_and_filters_and_searches_know_it(
    client: httpx.AsyncClient,
) -> None:
    ids = [(await create(client, tags=["old"]))["id"] for _ in range(3)]
    planned = await plan(client, {"action": "add_tags", "tags": ["Vogon"]}, ids=ids)
    assert counted(await apply(client, planned)) == {"updated": 3}
    assert await find(client, tag="vogon") == ids
    assert set(await find(client, q="vogon")) == set(ids)
    entries = await trail(client, planned)
    told = [{"pointer": "/tags", "from": ["old"], "to": ["old", "Vogon"]}]
    assert [(entry["via"], entry["version"], entry["differences"]) for entry in entries] == [
        ("bulk", 2, told)
    ] * 3
    again = await apply(client, planned)
    assert (counted(again), len(await trail(client, planned))) == ({"updated": 3}, 3)


async def test_a_user_who_was_changed_or_deleted_since_is_a_conflict_told_by_id_and_version(
    client: httpx.AsyncClient,
) -> None:
    edited, deleted, alike, rest = [await create(client) for _ in range(4)]
    planned = await plan(client, "deactivate", ids=[user["id"] for user in (edited, deleted, alike, rest)])
    await client.patch(f"/users/{edited['id']}", json={"name": "By hand"})
    await client.delete(f"/users/{deleted['id']}")
    await client.patch(f"/users/{alike['id']}", json={"is_active": False})
    late = await create(client)
    applied = await apply(client, planned)
    assert [row["status"] for row in applied["items"]] == ["conflict", "conflict", "unchanged", "updated"]
    assert [errors_of(row) for row in applied["items"][:2]] == [
        {("version_mismatch", None, None)}, {("user_not_found", None, None)}
    ]  # fmt: skip
    assert applied["items"][0]["id"] == edited["id"]
    assert "from version 1 to 2" in applied["items"][0]["errors"][0]["detail"]
    only = await client.get(f"/users/bulk/{planned['id']}", params={"status": "conflict"})
    assert [row["id"] for row in only.json()["items"]] == [edited["id"], deleted["id"]]
    assert [(await read(client, user))["is_active"] for user in (edited, rest, late)] == [True, False, True]


async def test_deactivation_lost_scopes_sign_outs_and_deletions_end_sessions_and_nothing_else_does(
    client: httpx.AsyncClient,
) -> None:
    changes: list[str | dict[str, Any]] = [
        "deactivate",
        {"action": "remove_scopes", "scopes": ["users:read"]},
        "end_sessions",
        "delete",
        "activate",
        {"action": "add_scopes", "scopes": ["users:export"]},
        {"action": "add_tags", "tags": ["x"]},
    ]
    people = [await add_person(client) for _ in changes]
    tokens = [await sign_in(client, user) for user in people]
    bystander = await sign_in(client, await add_person(client))
    for change, user in zip(changes, people, strict=True):
        await apply(client, await plan(client, change, ids=[user["id"]]))
    fates = [await fate(client, each) for each in (*tokens, bystander)]
    assert fates == ["session_revoked"] * 4 + [ALIVE] * 4
    assert (await client.get(f"/users/{people[3]['id']}")).status_code == 404


async def test_sessions_end_though_redis_has_forgotten_its_scripts(client: httpx.AsyncClient) -> None:
    people = [await add_person(client) for _ in range(3)]
    tokens = [await sign_in(client, user) for user in people]
    planned = await plan(client, "deactivate", ids=[user["id"] for user in people])
    await resources(client).connections.redis.script_flush()
    assert counted(await apply(client, planned)) == {"updated": 3}
    assert {await fate(client, each) for each in tokens} == {"session_revoked"}


async def test_a_sign_out_raises_no_version_and_is_in_the_trail_once(client: httpx.AsyncClient) -> None:
    people = [await add_person(client) for _ in range(3)]
    before = [await read(client, user) for user in people]
    tokens = [await sign_in(client, user) for user in people]
    planned = await plan(client, "end_sessions", ids=[user["id"] for user in people])
    assert counted(await apply(client, planned)) == {"updated": 3}
    assert {await fate(client, each) for each in tokens} == {"session_revoked"}
    assert [(await read(client, user))["version"] for user in people] == [user["version"] for user in before]
    assert [entry["action"] for entry in await trail(client, planned)] == ["signed_out"] * 3
    assert await fate(client, await sign_in(client, people[0])) == ALIVE
    reverted = await follow(client, planned, "revert")
    assert counted(reverted) == {"unchanged": 3}
    assert errors_of(reverted["items"][0]) == {("not_undone", None, None)}


async def test_a_change_that_others_forestalled_ends_no_session(client: httpx.AsyncClient) -> None:
    user = await add_person(client)
    tokens = await sign_in(client, user)
    planned = await plan(client, "end_sessions", ids=[user["id"]])
    await client.patch(f"/users/{user['id']}", json={"name": "By hand"})
    assert counted(await apply(client, planned)) == {"conflict": 1}
    assert await fate(client, tokens) == ALIVE


async def test_an_administrator_who_became_the_last_since_stays(mongo_uri: str, redis_url: str) -> None:
    async with importing(mongo_uri, redis_url) as client:
        one, other = [await add_person(client, scopes=["users:admin"]) for _ in range(2)]
        planned = await plan(client, "deactivate", ids=[one["id"]])
        await client.delete(f"/users/{other['id']}")
        applied = await apply(client, planned)
        assert [bad["code"] for bad in applied["items"][0]["errors"]] == ["last_administrator"]
        assert (await read(client, one))["is_active"]


@pytest.mark.parametrize(
    "change",
    [
        {"action": "deactivate"},
        {"action": "activate"},
        {"action": "add_tags", "tags": ["new", "b"]},
        {"action": "remove_tags", "tags": ["a"]},
        {"action": "add_scopes", "scopes": ["users:read"]},
        {"action": "remove_scopes", "scopes": ["me"]},
    ],
    ids=lambda change: str(change["action"]),
)
async def test_a_revert_gives_back_every_field_and_can_itself_be_reverted(
    client: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    more = {"is_active": change["action"] != "activate", "profile": {"addresses": [{"city": "Bonn"}]}}
    people = [await create(client, tags=["a", "b"], **more) for _ in range(3)]
    applied = await apply(client, await plan(client, change, ids=[user["id"] for user in people]))
    changed = [await read(client, user) for user in people]
    reverting = await follow(client, applied, "revert")
    assert (reverting["change"], reverting["reverts"], counted(reverting)) == (
        None,
        applied["id"],
        {"update": 3},
    )
    assert counted(await apply(client, reverting)) == {"updated": 3}
    assert [known(await read(client, user)) for user in people] == [known(user) for user in people]
    again = await apply(client, await follow(client, reverting, "revert"))
    assert counted(again) == {"updated": 3}
    assert [known(await read(client, user)) for user in people] == [known(user) for user in changed]


@pytest.mark.parametrize(
    ("change", "patch"),
    [
        ({"action": "deactivate"}, {"is_active": False}),
        ({"action": "add_tags", "tags": ["c"]}, {"tags": ["a", "c"]}),
        ({"action": "remove_scopes", "scopes": ["users:read"]}, {"scopes": ["me"]}),
    ],
    ids=lambda words: str(words.get("action", "")),
)
async def test_a_user_who_was_changed_in_bulk_is_stored_as_one_who_was_patched(
    client: httpx.AsyncClient, change: dict[str, Any], patch: dict[str, Any]
) -> None:
    said = {"tags": ["a"], "scopes": ["me", "users:read"], "profile": {"department": "Ops"}}
    people = [await create(client, name="Zoë", **said) for _ in range(2)]
    await apply(client, await plan(client, change, ids=[people[0]["id"]]))
    assert (await client.patch(f"/users/{people[1]['id']}", json=patch)).status_code == 200
    stored = [await users(client).find_one({"_id": ObjectId(user["id"])}) for user in people]
    for name in ("facets", "tags", "scopes", "is_active", "credentials", "version"):
        assert stored[0][name] == stored[1][name]
    assert stored[0]["search"]["v"] == stored[1]["search"]["v"]
    assert len(stored[0]["search"]["t"]) == len(stored[1]["search"]["t"])
    assert stored[0]["updated_at"] > stored[0]["created_at"]


async def test_what_cannot_be_undone_is_said_before_and_after(client: httpx.AsyncClient) -> None:
    gone, kept, forgotten, edited = [await create(client) for _ in range(4)]
    deletion = await plan(client, "delete", ids=[gone["id"]])
    assert [(each["what"], each["users"]) for each in deletion["irreversible"]] == [("users", 1)]
    await apply(client, deletion)
    [row] = (await follow(client, deletion, "revert"))["items"]
    assert (row["status"], errors_of(row)) == ("error", {("not_undone", None, None)})
    applied = await apply(
        client, await plan(client, "deactivate", ids=[user["id"] for user in (kept, forgotten, edited)])
    )
    await database(client)["audit"].delete_many({"user": ObjectId(forgotten["id"])})
    await client.patch(f"/users/{edited['id']}", json={"is_active": True})
    rows = (await follow(client, applied, "revert"))["items"]
    assert [row["status"] for row in rows] == ["update", "error", "unchanged"]
    assert [errors_of(row) for row in rows[:2]] == [{("not_undone", None, None)}] * 2


async def test_the_plan_names_the_end_of_the_trail_where_that_comes_first(
    mongo_uri: str, redis_url: str
) -> None:
    async with importing(mongo_uri, redis_url, audit_ttl_days=1) as client:
        planned = await plan(client, "deactivate", ids=[(await create(client))["id"]])
        assert planned["revert_until"] < planned["expires_at"]
    async with importing(mongo_uri, redis_url, audit_ttl_days=0) as client:
        planned = await plan(client, "deactivate", ids=[(await create(client))["id"]])
        assert planned["revert_until"] == planned["expires_at"]


async def test_reverts_are_refused_where_nothing_was_applied_or_one_is_there(
    client: httpx.AsyncClient,
) -> None:
    planned = await plan(client, "deactivate", ids=[(await create(client))["id"]])
    path = f"/users/bulk/{planned['id']}"
    problem(await client.post(f"{path}/revert"), 409, "bulk_not_applied")
    await apply(client, planned)
    first = await follow(client, planned, "revert")
    problem(await client.post(f"{path}/revert"), 409, "bulk_reverted")
    assert (await client.delete(f"/users/bulk/{first['id']}")).status_code == 204
    assert counted(await follow(client, planned, "revert")) == {"update": 1}
    problem(await client.post(f"/users/bulk/{NOBODY}/revert"), 404, "bulk_not_found")


async def test_a_plan_of_an_administrator_is_applied_by_administrators_and_seen_by_its_maker(
    client: httpx.AsyncClient,
) -> None:
    boss = await add_person(client, scopes=["users:write", "users:admin"])
    whole, less = [
        bearing(await sign_in(client, boss, scope=scope))
        for scope in ("users:write users:admin", "users:write")
    ]
    user = await create(client)
    planned = await plan(client, "deactivate", ids=[user["id"]], headers=whole)
    path = f"/users/bulk/{planned['id']}"
    problem(await client.post(f"{path}/apply", headers=less), 403, "insufficient_scope")
    token = await mint(client.app.state.container, "users:write")  # type: ignore[attr-defined]  # set by `serving`
    stranger = {"Authorization": f"Bearer {token}"}
    for method, verb in (
        ("GET", ""),
        ("POST", "/apply"),
        ("POST", "/cancel"),
        ("POST", "/revert"),
        ("DELETE", ""),
    ):
        problem(await client.request(method, path + verb, headers=stranger), 404, "bulk_not_found")
    await apply(client, planned, **whole)
    problem(await client.post(f"{path}/cancel", headers=whole), 409, "job_ended")


async def test_a_plan_that_expires_soon_is_not_begun(client: httpx.AsyncClient) -> None:
    planned = await plan(client, "deactivate", ids=[(await create(client))["id"]])
    soon = {"$set": {"expires_at": clock.now() + timedelta(minutes=30)}}
    await database(client)["imports"].update_one({"_id": ObjectId(planned["id"])}, soon)
    problem(await client.post(f"/users/bulk/{planned['id']}/apply"), 409, "bulk_not_planned")


async def test_a_cancelled_bulk_change_keeps_what_was_done_and_goes_on_when_it_is_applied_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(monkeypatch, 5)
    operations = [{"op": "create", "user": {"name": "N", "email": f"n{n}@bulk.example"}} for n in range(600)]
    made = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
    planned = await plan(client, {"action": "add_tags", "tags": ["half"]}, ids=[each["id"] for each in made])
    path = f"/users/bulk/{planned['id']}"
    begun = (await client.post(f"{path}/apply", headers={"Prefer": "wait=0"})).json()
    assert begun["state"] == "applying"

    async def some_are_done() -> bool:
        return bool(await users(client).count_documents({"tags": "half"}) > 20)

    await until(some_are_done)
    problem(await client.post(f"{path}/revert"), 409, "bulk_applying")
    problem(await client.delete(path), 409, "bulk_applying")
    assert (await client.post(f"{path}/cancel")).status_code == 200
    await client.app.state.container.jobs.wait(begun["apply_job"], 30)  # type: ignore[attr-defined]  # set by `serving`
    shown = (await client.get(path)).json()
    assert shown["state"] == "cancelled"
    done = shown["counts"]["updated"]
    assert 20 <= done < 600
    assert await users(client).count_documents({"tags": "half"}) == done
    assert counted(await apply(client, planned)) == {"updated": 600}
    assert {user["version"] async for user in users(client).find({"tags": "half"})} == {2}
