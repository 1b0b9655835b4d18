"""Plans of bulk changes: who is in them, who is refused and why, what cannot be undone. Nobody is changed."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from bson import ObjectId

from app.bulk import planning
from app.imports import plan_writer
from app.users.administrators import ADMINISTRATOR
from tests.support.bulk import apply, ask, plan, reasons
from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, importing
from tests.support.sessions import add_person, bearing, sign_in
from tests.support.tokens import mint
from tests.support.users import NOBODY, create, pointers, problem, read, users


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


async def test_a_plan_of_a_filter_has_its_users_and_changes_nobody(client: httpx.AsyncClient) -> None:
    profile = {"department": "Plans"}
    ana, ben = await create(client, profile=profile), await create(client, profile=profile, is_active=False)
    await create(client, profile={"department": "Others"})
    reply = await ask(client, "deactivate", filter={"department": "plans"})
    planned = reply.json()
    assert reply.status_code == 201
    assert reply.headers["location"] == f"/users/bulk/{planned['id']}"
    assert (planned["state"], planned["rows"], counted(planned)) == (
        "planned",
        2,
        {"update": 1, "unchanged": 1},
    )
    assert (planned["change"], planned["filter"]) == ({"action": "deactivate"}, {"department": ["plans"]})
    told = [{"pointer": "/is_active", "from": True, "to": False}]
    assert [(row["id"], row["differences"]) for row in planned["items"]] == [
        (ana["id"], told),
        (ben["id"], []),
    ]
    assert [(each["what"], each["users"]) for each in planned["irreversible"]] == [("sessions", 1)]
    assert planned["revert_until"] == planned["expires_at"]
    assert await read(client, ana) == ana


async def test_ids_are_planned_in_their_order_once_each_and_unknown_ones_are_refused(
    client: httpx.AsyncClient,
) -> None:
    ana, ben = await create(client), await create(client)
    ids = [ben["id"], NOBODY, ana["id"].upper(), ana["id"]]
    planned = await plan(client, {"action": "add_tags", "tags": ["vip"]}, ids=ids)
    assert [row["status"] for row in planned["items"]] == ["update", "error", "update"]
    assert [planned["items"][place]["id"] for place in (0, 2)] == [ben["id"], ana["id"]]
    assert reasons(planned) == {"user_not_found": 1}
    assert planned["filter"] is None


async def test_words_of_a_search_find_the_users_of_a_plan(client: httpx.AsyncClient) -> None:
    found = [await create(client, name=f"Zaphod Beeblebrox {n}") for n in range(3)]
    planned = await plan(client, {"action": "add_tags", "tags": ["x"]}, filter={"q": "beeblebrox"})
    assert {row["id"] for row in planned["items"]} == {user["id"] for user in found}
    nobody = await plan(client, "deactivate", filter={"q": "qwertzuiop"})
    assert (nobody["state"], nobody["rows"]) == ("planned", 0)
    assert (await apply(client, nobody))["state"] == "applied"


async def test_tags_in_another_case_are_there_already_and_go_by_any(client: httpx.AsyncClient) -> None:
    ids = [(await create(client, tags=tags))["id"] for tags in (["Staff", "b"], ["b"])]
    added = await plan(client, {"action": "add_tags", "tags": ["staff", "c"]}, ids=ids)
    assert [row["differences"][0]["to"] for row in added["items"]] == [
        ["Staff", "b", "c"],
        ["b", "staff", "c"],
    ]
    removed = await plan(client, {"action": "remove_tags", "tags": ["STAFF"]}, ids=ids)
    assert [row["status"] for row in removed["items"]] == ["update", "unchanged"]
    assert removed["items"][0]["differences"][0]["to"] == ["b"]


async def test_a_user_who_would_have_too_many_tags_is_refused(client: httpx.AsyncClient) -> None:
    user = await create(client, tags=[f"t{n}" for n in range(50)])
    planned = await plan(client, {"action": "add_tags", "tags": ["one more"]}, ids=[user["id"]])
    assert reasons(planned) == {"too_many_tags": 1}


async def test_sessions_of_users_who_may_not_sign_in_have_ended_already(client: httpx.AsyncClient) -> None:
    ids = [(await create(client, is_active=active))["id"] for active in (True, False)]
    planned = await plan(client, "end_sessions", ids=ids)
    assert [row["status"] for row in planned["items"]] == ["update", "unchanged"]


async def test_a_stored_user_who_is_malformed_is_refused(client: httpx.AsyncClient) -> None:
    user = await create(client, profile={"department": "Broken"})
    await users(client).update_one(
        {"_id": ObjectId(user["id"])}, {"$set": {"version": "one"}}, bypass_document_validation=True
    )
    planned = await plan(client, "deactivate", filter={"department": "Broken"})
    assert reasons(planned) == {"unreadable_user": 1}
    await users(client).delete_one({"_id": ObjectId(user["id"])})


async def test_a_caller_who_is_no_administrator_changes_tags_and_deletes_but_not_administrators(
    client: httpx.AsyncClient,
) -> None:
    token = await mint(client.app.state.container, "users:write")  # type: ignore[attr-defined]  # set by `serving`
    headers = {"Authorization": f"Bearer {token}"}
    ids = [(await create(client, scopes=scopes))["id"] for scopes in (["me"], ["users:admin"])]
    for change in ({"action": "add_tags", "tags": ["x"]}, {"action": "delete"}):
        planned = await plan(client, change, ids=ids, headers=headers)
        assert reasons(planned) == {"insufficient_scope": 1}
    for refused in ("activate", "deactivate", "end_sessions"):
        problem(await ask(client, refused, ids=ids, headers=headers), 403, "insufficient_scope")
    scopes = {"action": "add_scopes", "scopes": ["users:admin"]}
    problem(await ask(client, scopes, ids=ids, headers=headers), 403, "insufficient_scope")


async def test_ones_own_account_and_the_last_administrator_stay(mongo_uri: str, redis_url: str) -> None:
    async with importing(mongo_uri, redis_url) as client:
        boss, other = [await add_person(client, scopes=["users:write", "users:admin"]) for _ in range(2)]
        planned = await plan(client, "deactivate", filter={"scope": "users:admin"})
        assert [row["status"] for row in planned["items"]] == ["update", "error"]
        assert reasons(planned) == {"last_administrator": 1}
        own = bearing(await sign_in(client, boss, scope="users:write users:admin"))
        for change in ({"action": "remove_scopes", "scopes": ["users:admin"]}, {"action": "delete"}):
            planned = await plan(client, change, ids=[boss["id"], other["id"]], headers=own)
            assert reasons(planned) == {"own_account": 1}
        planned = await plan(client, {"action": "add_tags", "tags": ["x"]}, ids=[boss["id"]], headers=own)
        assert counted(planned) == {"update": 1}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"change": {"action": "delete"}}, {""}),
        ({"change": {"action": "delete"}, "ids": [NOBODY], "filter": {}}, {""}),
        ({"change": {"action": "delete"}, "filter": None}, {"/filter"}),
        ({"change": {"action": "delete"}, "ids": []}, {"/ids"}),
        ({"change": {"action": "delete"}, "ids": ["7"]}, {"/ids/0"}),
        ({"change": {"action": "burn"}, "ids": [NOBODY]}, {"/change"}),
        ({"change": {"action": "delete", "tags": ["x"]}, "ids": [NOBODY]}, {"/change/tags"}),
        ({"change": {"action": "add_tags"}, "ids": [NOBODY]}, {"/change/tags"}),
        ({"change": {"action": "add_tags", "tags": []}, "ids": [NOBODY]}, {"/change/tags"}),
        ({"change": {"action": "add_scopes", "scopes": ["all"]}, "ids": [NOBODY]}, {"/change/scopes/0"}),
        ({"change": {"action": "delete"}, "filter": {"departmant": "x"}}, {"/filter/departmant"}),
        ({"filter": {}}, {"/change"}),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    client: httpx.AsyncClient, body: dict[str, object], where: set[str]
) -> None:
    assert pointers(await client.post("/users:bulk", json=body)) == where


async def test_filters_that_contradict_and_searches_of_nothing_are_refused(client: httpx.AsyncClient) -> None:
    problem(await ask(client, "delete", filter={"missing": "phone", "phone": "+34600000000"}), 422,
            "validation_failed")  # fmt: skip
    problem(await ask(client, "delete", filter={"q": "a" * 201}), 422, "validation_failed")


async def test_a_filter_that_finds_too_many_is_refused_and_named(mongo_uri: str, redis_url: str) -> None:
    async with importing(mongo_uri, redis_url, bulk_max_users=2) as client:
        for _ in range(3):
            await create(client, name="Trillian")
        for filters in ({}, {"q": "trillian"}):  # counted before, and while it is planned
            found = problem(await ask(client, "delete", filter=filters), 422, "too_many_users")
            assert "ROSTER_BULK_MAX_USERS" in found["detail"]
        ids = [(await create(client))["id"] for _ in range(2)]
        assert counted(await plan(client, "delete", ids=ids)) == {"delete": 2}


async def test_a_user_whom_a_search_shows_twice_is_planned_once(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await create(client, name="Slartibartfast")
    stream = client.app.state.container.listing.stream  # type: ignore[attr-defined]  # set by `serving`

    async def twice(*asked: object, **more: object) -> AsyncIterator[bytes]:
        async for batch in stream(*asked, **more):
            yield batch
            yield batch

    monkeypatch.setattr(client.app.state.container.listing, "stream", twice)  # type: ignore[attr-defined]  # set by `serving`
    planned = await plan(client, "deactivate", filter={"q": "slartibartfast"})
    assert [row["id"] for row in planned["items"]] == [user["id"]]


async def test_administrators_are_found_by_an_index(client: httpx.AsyncClient) -> None:
    found = await users(client).find(ADMINISTRATOR, {"_id": 1}, hint="facets").explain()
    assert "IXSCAN" in str(found["queryPlanner"]["winningPlan"])
    assert found["executionStats"]["totalKeysExamined"] <= await users(client).count_documents(
        {"scopes": "users:admin"}
    )


async def test_rows_are_paged_and_chosen_by_status(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "CHUNK", 2)
    ids = [(await create(client, is_active=n % 2 == 0))["id"] for n in range(7)]
    planned = await plan(client, "deactivate", ids=ids)
    path, seen, cursor = f"/users/bulk/{planned['id']}", [], None
    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=query)).json()
        seen += [row["id"] for row in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == ids
    only = (await client.get(path, params={"status": "unchanged"})).json()
    assert [row["id"] for row in only["items"]] == ids[1::2]


async def test_bulk_changes_and_imports_are_not_told_in_each_others_place(client: httpx.AsyncClient) -> None:
    user = await create(client)
    planned = await plan(client, "deactivate", ids=[user["id"]])
    assert planned["id"] in {each["id"] for each in (await client.get("/users/bulk")).json()["items"]}
    assert planned["id"] not in {each["id"] for each in (await client.get("/users/imports")).json()["items"]}
    problem(await client.get(f"/users/imports/{planned['id']}"), 404, "import_not_found")
    file = await client.post("/users/import", content=b"email,name\nx@example.com,X\n",
                             headers={"Content-Type": "text/csv", "Prefer": "wait=30"})  # fmt: skip
    problem(await client.get(f"/users/bulk/{file.json()['id']}"), 404, "bulk_not_found")
    problem(await client.get(f"/users/bulk/{NOBODY}"), 404, "bulk_not_found")


async def test_a_bulk_change_that_is_not_planned_yet_is_not_applied_and_can_be_cancelled_and_deleted(
    mongo_uri: str, redis_url: str
) -> None:
    async with importing(mongo_uri, redis_url, jobs_at_once=1) as client:
        user = await create(client)
        stuck = asyncio.Event()
        with pytest.MonkeyPatch.context() as patch:

            async def wait(*_: object) -> object:
                await stuck.wait()
                return None

            patch.setattr(plan_writer, "begin", wait)
            reply = await ask(client, "deactivate", ids=[user["id"]], headers={"Prefer": "wait=0"})
            assert (reply.status_code, reply.json()["state"]) == (202, "planning")
            path = f"/users/bulk/{reply.json()['id']}"
            problem(await client.post(f"{path}/apply"), 409, "bulk_not_planned")
            cancelled = await client.post(f"{path}/cancel")
            assert cancelled.status_code == 200
        job = await client.app.state.container.jobs.wait(reply.json()["plan_job"], 30)  # type: ignore[attr-defined]  # set by `serving`
        assert job.state == "cancelled"
        assert (await client.post(f"{path}/cancel")).json()["state"] == "cancelled"
        assert (await client.delete(path)).status_code == 204
        problem(await client.get(path), 404, "bulk_not_found")
