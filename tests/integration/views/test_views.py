"""`/views`: saved for oneself or shared, checked as GET /users would, and gone with whose they are."""

import asyncio
from typing import Any, cast

import httpx
import pytest
from bson import ObjectId

from models.view import MOST_VIEWS
from tests.support.identity import call, member, sign_in
from tests.support.users import NOBODY, create, database, pointers, problem

SAID: dict[str, Any] = {
    "name": "New in sales",
    "query": "department=Sales&tag=vip&tag=staff&sort=-created_at&limit=20",
    "columns": ["name", "email", "profile.addresses.city"],
    "density": "compact",
    "is_shared": False,
}


async def reader(client: httpx.AsyncClient, *more: str) -> tuple[dict[str, Any], str]:
    """A new person who may read users, and their access token."""
    user = await member(client, "me", "users:read", *more)
    return user, str((await sign_in(client, user))["access_token"])


async def save(client: httpx.AsyncClient, token: str, **more: Any) -> dict[str, Any]:
    reply = await call(client, "POST", "/views", token, json=SAID | more)
    assert reply.status_code == 201, reply.text
    return cast("dict[str, Any]", reply.json())


async def listed(client: httpx.AsyncClient, token: str) -> list[str]:
    """The ids of the views that the person sees."""
    reply = await call(client, "GET", "/views", token)
    assert reply.status_code == 200, reply.text
    return [item["id"] for item in reply.json()["items"]]


async def test_a_view_is_saved_read_replaced_and_deleted(client: httpx.AsyncClient) -> None:
    ana, token = await reader(client)
    reply = await call(client, "POST", "/views", token, json=SAID)
    made = reply.json()
    path = reply.headers["location"]
    assert (reply.status_code, path, reply.headers["etag"]) == (201, f"/views/{made['id']}", '"1"')
    assert {name: made[name] for name in SAID} == SAID
    assert (made["created_by"], made["version"]) == (ana["id"], 1)
    reply = await call(client, "GET", path, token)
    assert (reply.json(), reply.headers["etag"]) == (made, '"1"')
    assert (await call(client, "GET", path, token, headers={"If-None-Match": '"1"'})).status_code == 304
    new = {"name": "Everybody"}
    reply = await call(client, "PUT", path, token, json=new, headers={"If-Match": '"1"'})
    assert (reply.status_code, reply.headers["etag"]) == (200, '"2"')
    plain = {"query": "", "columns": None, "density": "standard", "is_shared": False}
    changed = made | new | plain | {"version": 2, "updated_at": reply.json()["updated_at"]}
    assert reply.json() == changed
    assert reply.json()["updated_at"] >= made["updated_at"]
    for stale in ({"method": "PUT", "json": new}, {"method": "DELETE"}):
        reply = await call(client, path=path, token=token, headers={"If-Match": '"1"'}, **stale)
        problem(reply, 412, "version_mismatch")
    assert (await call(client, "DELETE", path, token, headers={"If-Match": '"2"'})).status_code == 204
    for method in ("GET", "DELETE"):
        problem(await call(client, method, path, token), 404, "view_not_found")
    problem(await call(client, "PUT", path, token, json=new), 404, "view_not_found")


async def test_the_saved_query_is_one_that_the_list_of_users_takes(client: httpx.AsyncClient) -> None:
    _, token = await reader(client)
    await create(client, profile={"department": "Sales"}, tags=["VIP"], name="Zoë")
    made = await save(client, token, query="department=sales&tag=vip&fields=name&sort=name")
    found = await call(client, "GET", f"/users?{made['query']}", token)
    assert [item["name"] for item in found.json()["items"]] == ["Zoë"]


@pytest.mark.parametrize(
    ("said", "pointer", "told"),
    [
        ({"name": " "}, "/name", "blank"),
        ({"name": "x" * 101}, "/name", "100"),
        ({"query": "departmnt=Sales"}, "/query", "`departmnt`: There is no parameter of this name here"),
        ({"query": "sort=shoe"}, "/query", "`sort`: Must be"),
        ({"query": "limit=5000"}, "/query", "`limit`: Must be at most 1000"),
        ({"query": "limit=5&limit=6"}, "/query", "`limit`: May be given only once"),
        ({"query": "?tag=a"}, "/query", "`?tag`: There is no parameter"),
        ({"query": "q=anna&sort=name"}, "/query", "`sort`: Leave it out with q"),
        ({"query": "q=" + "a" * 201}, "/query", "`q`: Must be at most 200"),
        ({"query": "fields=nmae"}, "/query", "`fields`: There is no field `nmae`"),
        ({"query": f"start=x,{NOBODY}"}, "/query", "`start`: "),
        ({"query": "missing=age&age_min=3"}, "/query", "`missing`: Leave out age"),
        ({"query": "cursor=abc"}, "/query", "`cursor`: leave it out"),
        ({"query": "tag=%FF"}, "/query", "UTF-8"),
        ({"query": "tag=%00"}, "/query", "`tag`: "),
        ({"query": "x" * 4001}, "/query", "4000"),
        ({"columns": ["name", "nmae"]}, "/columns/1", "did you mean `name`?"),
        ({"columns": ["name", "password_hash"]}, "/columns/1", "There is no field"),
        ({"columns": ["name", "name"]}, "/columns/1", "once"),
        ({"columns": ["name"] * 51}, "/columns", "50"),
        ({"density": "airy"}, "/density", "Must be"),
        ({"is_shared": 1}, "/is_shared", "true or false"),
        ({"odd": 1}, "/odd", "There is no field"),
    ],
)
async def test_what_is_no_view_is_refused(
    client: httpx.AsyncClient, said: dict[str, Any], pointer: str, told: str
) -> None:
    made = (await client.post("/views", json={"name": "Mine"})).json()
    for method, path in (("POST", "/views"), ("PUT", f"/views/{made['id']}")):
        reply = await client.request(method, path, json=SAID | said)
        assert pointers(reply) == {pointer}
        assert told in reply.json()["errors"][0]["detail"]
    assert (await client.get(f"/views/{made['id']}")).json() == made


async def test_own_views_are_seen_by_nobody_else_and_shared_ones_by_all_who_read_users(
    client: httpx.AsyncClient,
) -> None:
    _, anas = await reader(client)
    _, bens = await reader(client)
    _, administrators = await reader(client, "users:admin")
    own, shared = await save(client, anas), await save(client, anas, is_shared=True)
    assert await listed(client, anas) == [shared["id"], own["id"]]
    for token in (bens, administrators):
        assert shared["id"] in await listed(client, token)
        assert own["id"] not in await listed(client, token)
        assert (await call(client, "GET", f"/views/{shared['id']}", token)).json() == shared
        for asked in ({"method": "GET"}, {"method": "DELETE"}, {"method": "PUT", "json": SAID}):
            reply = await call(client, path=f"/views/{own['id']}", token=token, **asked)
            problem(reply, 404, "view_not_found")
    only_me = str((await sign_in(client, await member(client)))["access_token"])
    problem(await call(client, "GET", "/views", only_me), 403, "insufficient_scope")


async def test_a_shared_view_is_changed_by_its_maker_and_by_administrators(
    client: httpx.AsyncClient,
) -> None:
    _, anas = await reader(client)
    _, bens = await reader(client)
    _, administrators = await reader(client, "users:admin")
    shared = await save(client, anas, is_shared=True)
    path = f"/views/{shared['id']}"
    for asked in ({"method": "DELETE"}, {"method": "PUT", "json": SAID}):
        problem(await call(client, path=path, token=bens, **asked), 403, "insufficient_scope")
    refused = await call(client, "PUT", path, administrators, json=SAID)
    assert pointers(refused) == {"/is_shared"}
    reply = await call(client, "PUT", path, administrators, json=SAID | {"is_shared": True, "name": "Tidied"})
    assert (reply.json()["name"], reply.json()["created_by"]) == ("Tidied", shared["created_by"])
    assert (await call(client, "PUT", path, anas, json=SAID)).json()["is_shared"] is False
    problem(await call(client, "GET", path, bens), 404, "view_not_found")
    assert (await call(client, "PUT", path, anas, json=SAID | {"is_shared": True})).status_code == 200
    assert (await call(client, "DELETE", path, administrators)).status_code == 204


async def test_a_deleted_persons_own_views_go_with_them_and_shared_ones_stay(
    client: httpx.AsyncClient,
) -> None:
    ana, anas = await reader(client)
    _, bens = await reader(client)
    _, administrators = await reader(client, "users:admin")
    own, shared = await save(client, anas), await save(client, anas, is_shared=True)
    assert (await client.delete(f"/users/{ana['id']}")).status_code == 204
    views = database(client)["views"]
    assert await views.find_one({"_id": ObjectId(own["id"])}) is None
    path = f"/views/{shared['id']}"
    assert (await call(client, "GET", path, bens)).json() == shared
    problem(await call(client, "DELETE", path, bens), 403, "insufficient_scope")
    assert (await call(client, "DELETE", path, administrators)).status_code == 204


async def test_a_person_has_a_hundred_views_and_no_more_however_many_are_saved_at_once(
    client: httpx.AsyncClient,
) -> None:
    _, token = await reader(client)
    _, other = await reader(client)
    made = await asyncio.gather(*(save(client, token, name=str(number)) for number in range(MOST_VIEWS - 1)))
    tries = await asyncio.gather(
        *(call(client, "POST", "/views", token, json=SAID) for _ in range(5)),
    )
    assert {reply.status_code for reply in tries} <= {201, 409}
    if all(reply.status_code == 409 for reply in tries):  # each saw the others: one at a time succeeds
        tries = [await call(client, "POST", "/views", token, json=SAID)]
    problem(await call(client, "POST", "/views", token, json=SAID), 409, "too_many_views")
    assert len(await _all(client, token)) == MOST_VIEWS
    await save(client, other)
    assert (await call(client, "DELETE", f"/views/{made[0]['id']}", token)).status_code == 204
    await save(client, token)


async def _all(client: httpx.AsyncClient, token: str) -> list[str]:
    """The ids of all pages, each of which must be new."""
    page = (await call(client, "GET", "/views?limit=30", token)).json()
    ids = [item["id"] for item in page["items"]]
    while page["next"]:
        page = (await call(client, "GET", f"/views?limit=30&cursor={page['next']}", token)).json()
        ids += [item["id"] for item in page["items"]]
    assert len(set(ids)) == len(ids)
    return ids


async def test_two_who_replace_one_version_never_both_win(client: httpx.AsyncClient) -> None:
    _, token = await reader(client)
    path = f"/views/{(await save(client, token))['id']}"
    replies = await asyncio.gather(
        *(
            call(client, "PUT", path, token, json={"name": str(number)}, headers={"If-Match": '"1"'})
            for number in range(10)
        )
    )
    assert sorted(reply.status_code for reply in replies) == [200] + [412] * 9
    won = next(reply for reply in replies if reply.status_code == 200)
    assert (await call(client, "GET", path, token)).json() == won.json()


async def test_every_query_of_views_goes_through_an_index(client: httpx.AsyncClient) -> None:
    _, token = await reader(client)
    for number in range(30):
        await save(client, token, is_shared=bool(number % 2))
    views, held = database(client)["views"], database(client)
    somebody = [{"created_by": ObjectId(), "private_to": ObjectId(), "name": "x"} for _ in range(300)]
    await views.insert_many(somebody)
    await held.command("profile", 2)
    made = await save(client, token)
    await call(client, "GET", "/views?limit=5", token)
    await call(client, "PUT", f"/views/{made['id']}", token, json=SAID)
    await call(client, "DELETE", f"/views/{made['id']}", token)
    await held.command("profile", 0)
    noted = await held["system.profile"].find({"ns": f"{held.name}.views"}).to_list()
    assert {entry["op"] for entry in noted} >= {"insert", "query", "command", "remove"}
    planned = [entry for entry in noted if "planSummary" in entry]
    assert not [entry for entry in planned if "COLLSCAN" in entry["planSummary"]]
    assert not [entry for entry in planned if entry.get("hasSortStage")]
    assert max(entry.get("docsExamined", 0) for entry in planned) <= 7


async def test_a_view_that_another_program_stored_too_long_is_left_out_of_the_list(
    client: httpx.AsyncClient,
) -> None:
    _, token = await reader(client)
    spoilt, sound = [await save(client, token) for _ in range(2)]
    longer = {"$set": {"query": "q" * 20_000}}
    await database(client)["views"].update_one({"_id": ObjectId(spoilt["id"])}, longer)
    assert await listed(client, token) == [sound["id"]]
