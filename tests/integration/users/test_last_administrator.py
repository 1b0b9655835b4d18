"""Somebody can always sign in and administer, by whatever way users are changed."""

import asyncio
from typing import Any

import httpx
import pytest
from bson import ObjectId

from models.values import ALL_SCOPES
from tests.support.applying import apply, change, deletion, plan, statuses
from tests.support.identity import call, member, sign_in
from tests.support.users import create, person, problem, read, users

ROUNDS = 12
LOSING: list[dict[str, Any]] = [
    {"is_active": False},
    {"scopes": ["me", "users:read"]},
    {"scopes": [], "is_active": False},
]


async def administrator(client: httpx.AsyncClient) -> dict[str, Any]:
    return await read(client, await member(client, *ALL_SCOPES))


async def change_by(client: httpx.AsyncClient, way: str, user: dict[str, Any]) -> httpx.Response:
    path = f"/users/{user['id']}"
    match way:
        case "DELETE":
            return await client.delete(path)
        case "PATCH":
            return await client.patch(path, json={"is_active": False})
        case _:
            return await client.put(path, json=person(email=user["email"], scopes=["me"]))


# --- one after the other ---


@pytest.mark.parametrize("lost", LOSING)
async def test_the_last_administrator_keeps_their_standing(
    client: httpx.AsyncClient, lost: dict[str, Any]
) -> None:
    last = await member(client, *ALL_SCOPES)
    session = await sign_in(client, last)
    last = await read(client, last)
    path = f"/users/{last['id']}"
    refused = problem(await client.patch(path, json=lost), 409, "last_administrator")
    assert refused["title"] == "The user is the last administrator"
    assert refused["detail"] == (
        "Nobody could sign in and administer after this: make another administrator first."
    )
    whole = person(email=last["email"]) | lost
    problem(await client.put(path, json=whole), 409, "last_administrator")
    problem(await client.delete(path), 409, "last_administrator")
    assert await read(client, last) == last
    assert (await call(client, "GET", "/users/me", session["access_token"])).status_code == 200


async def test_other_fields_of_the_last_administrator_may_change(client: httpx.AsyncClient) -> None:
    last = await administrator(client)
    path = f"/users/{last['id']}"
    for body in ({"name": "Bea", "tags": ["boss"]}, {"scopes": ["users:admin"]}, {"is_active": True}):
        assert (await client.patch(path, json=body)).status_code == 200
    assert (await read(client, last))["scopes"] == ["users:admin"]


@pytest.mark.parametrize("way", ["DELETE", "PATCH", "PUT"])
async def test_one_of_two_administrators_may_go(client: httpx.AsyncClient, way: str) -> None:
    one, other = await administrator(client), await administrator(client)
    assert (await change_by(client, way, one)).status_code in {200, 204}
    problem(await change_by(client, way, other), 409, "last_administrator")


@pytest.mark.parametrize("standing", [{"is_active": False}, {"scopes": ["users:write"]}])
async def test_only_those_who_can_sign_in_and_administer_stand_in(
    client: httpx.AsyncClient, standing: dict[str, Any]
) -> None:
    last, other = await administrator(client), await administrator(client)
    assert (await client.patch(f"/users/{other['id']}", json=standing)).status_code == 200
    without_password = await create(client, scopes=["users:admin"])
    problem(await client.delete(f"/users/{last['id']}"), 409, "last_administrator")
    reply = await client.delete(f"/users/{without_password['id']}")
    assert reply.status_code == 204, "who cannot sign in is not missed"


async def test_in_a_batch_only_the_operation_about_them_fails(client: httpx.AsyncClient) -> None:
    last, someone = await administrator(client), await create(client)
    operations = [
        {"op": "delete", "id": someone["id"]},
        {"op": "update", "id": last["id"], "patch": {"scopes": []}},
        {"op": "delete", "id": last["id"]},
        {"op": "create", "user": person()},
    ]
    results = (await client.post("/users:batch", json={"operations": operations})).json()["results"]
    assert [result["status"] for result in results] == [204, 409, 409, 201]
    assert [results[place]["error"]["code"] for place in (1, 2)] == ["last_administrator"] * 2
    assert await read(client, last) == last


@pytest.mark.parametrize("way", ["update", "delete"])
async def test_in_an_import_only_the_row_about_them_is_a_conflict(
    client: httpx.AsyncClient, way: str
) -> None:
    last, someone = await administrator(client), await create(client)
    row = change(last, is_active=False) if way == "update" else deletion(last)
    import_id = await plan(client, [row, change(someone, name="Bea")])
    await apply(client, import_id)
    assert await statuses(client, import_id) == ["conflict", "updated"]
    shown = await client.get(f"/users/imports/{import_id}", params={"status": "conflict"})
    (error,) = shown.json()["items"][0]["errors"]
    assert error["code"] == "last_administrator"
    assert await read(client, last) == last


async def test_the_one_who_stays_is_answered_as_before(client: httpx.AsyncClient) -> None:
    one, other = await administrator(client), await administrator(client)
    assert (await client.delete(f"/users/{one['id']}")).status_code == 204
    stored = await users(client).find_one({"_id": ObjectId(other["id"])})
    assert stored["relied_on"] == 1
    assert await read(client, other) == other


# --- at once ---


@pytest.mark.parametrize(
    ("one_way", "other_way"), [("PATCH", "PATCH"), ("DELETE", "DELETE"), ("PUT", "DELETE")]
)
async def test_of_two_who_end_each_other_at_once_one_stays(
    client: httpx.AsyncClient, one_way: str, other_way: str
) -> None:
    for _ in range(ROUNDS):
        await users(client).delete_many({})
        one, other = await administrator(client), await administrator(client)
        replies = await asyncio.gather(change_by(client, one_way, one), change_by(client, other_way, other))
        statuses = sorted(reply.status_code for reply in replies)
        assert statuses[1] == 409, [reply.text for reply in replies]
        assert statuses[0] in {200, 204}
        (refused,) = [reply for reply in replies if reply.status_code == 409]
        problem(refused, 409, "last_administrator")
        able = {"is_active": True, "scopes": "users:admin"}
        assert await users(client).count_documents(able) == 1


async def test_of_many_who_go_at_once_one_stays(client: httpx.AsyncClient) -> None:
    many = [await administrator(client) for _ in range(8)]
    replies = await asyncio.gather(*(change_by(client, "DELETE", each) for each in many))
    assert sorted(reply.status_code for reply in replies) == [204] * 7 + [409]


async def test_an_import_and_a_request_at_once_leave_one(client: httpx.AsyncClient) -> None:
    for _ in range(ROUNDS):
        await users(client).delete_many({})
        one, other = await administrator(client), await administrator(client)
        import_id = await plan(client, [change(one, is_active=False)])
        _, reply = await asyncio.gather(apply(client, import_id), change_by(client, "DELETE", other))
        (status,) = await statuses(client, import_id)
        assert (status, reply.status_code) in {("updated", 409), ("conflict", 204)}
