"""Whether an e-mail is verified: recorded by the service, a filter and a column, lost with the address."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.applying import apply, apply_plan, change, plan
from tests.support.databases import PreparedDatabases
from tests.support.exports import read_texts
from tests.support.identity import hash_of
from tests.support.imports import plan as plan_file
from tests.support.imports import plan_rows
from tests.support.users import create, find, person, pointers, read, users, verify

User = dict[str, Any]
Way = Callable[[httpx.AsyncClient, User, User], Awaitable[None]]
"""A change of a user in these fields."""


@pytest.fixture(scope="module")
async def shared(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """Works on imports."""
    async with prepared_databases.serving(jobs_inside=True) as client:
        yield client


async def patch(client: httpx.AsyncClient, user: User, changes: User) -> None:
    assert (await client.patch(f"/users/{user['id']}", json=changes)).status_code == 200


async def put(client: httpx.AsyncClient, user: User, changes: User) -> None:
    """The reply of GET sent back, changed."""
    assert (
        await client.put(f"/users/{user['id']}", json=await read(client, user) | changes)
    ).status_code == 200


async def batch(client: httpx.AsyncClient, user: User, changes: User) -> None:
    operation = {"op": "update", "id": user["id"], "patch": changes}
    reply = await client.post("/users:batch", json={"operations": [operation]})
    assert [each["status"] for each in reply.json()["results"]] == [200]


async def upload(client: httpx.AsyncClient, user: User, changes: User) -> None:
    names, cells = ",".join(changes), ",".join(map(str, changes.values()))
    await apply_plan(client, await plan_file(client, f"id,{names}\n{user['id']},{cells}\n"))


async def upload_with_a_hash(client: httpx.AsyncClient, user: User, changes: User) -> None:
    """Which ends sessions, so that the row is written alone."""
    row = change(await read(client, user), **changes) | {"password_hash": hash_of("seven wet horses sing")}
    await apply(client, await plan(client, [row]))


async def revert(client: httpx.AsyncClient, user: User, changes: User) -> None:
    """An import undone that took these fields away."""
    now = await read(client, user)
    await patch(client, user, changes)
    names, cells = ",".join(changes), ",".join(now[name] for name in changes)
    applied = await apply_plan(client, await plan_file(client, f"id,{names}\n{user['id']},{cells}\n"))
    await verify(client, await read(client, user))
    reply = await client.post(f"/users/imports/{applied['id']}/revert", headers={"Prefer": "wait=30"})
    assert reply.status_code == 201, reply.text
    await apply_plan(client, reply.json())


WAYS = pytest.mark.parametrize("way", [patch, put, batch, upload, upload_with_a_hash, revert])


async def stored(client: httpx.AsyncClient, user: User) -> tuple[bool, list[str]]:
    """What is stored of it, and its facets."""
    row = await users(client).find_one({"keys.email": user["email"].lower()})
    return row["email_verified"], [each for each in row["facets"] if each.startswith("email_verified")]


async def verified(client: httpx.AsyncClient, **more: Any) -> User:
    user = await create(client, **more)
    await verify(client, user)
    return user


@WAYS
async def test_another_address_is_not_verified(shared: httpx.AsyncClient, way: Way) -> None:
    user = await verified(shared)
    await way(shared, user, {"email": f"{way.__name__}@example.com"})
    now = await read(shared, user)
    assert (now["email"], now["email_verified"]) == (f"{way.__name__}@example.com", False)
    assert await stored(shared, now) == (False, ["email_verified:false"])


@WAYS
async def test_the_same_address_stays_verified_whatever_else_changes(
    shared: httpx.AsyncClient, way: Way
) -> None:
    user = await verified(shared, name="Before", locale="de")
    await way(shared, user, {"name": "After"})
    now = await read(shared, user)
    assert (now["name"], now["email_verified"]) == ("After", True)
    assert await stored(shared, now) == (True, ["email_verified:true"])


@pytest.mark.parametrize("spelling", [str.upper, str.capitalize])
async def test_another_spelling_of_it_is_to_be_verified_anew(
    shared: httpx.AsyncClient, spelling: Callable[[str], str]
) -> None:
    user = await verified(shared)
    await patch(shared, user, {"email": spelling(user["email"])})
    assert (await read(shared, user))["email_verified"] is False


async def test_a_user_who_was_only_written_down_is_not_verified(shared: httpx.AsyncClient) -> None:
    one = await create(shared)
    operation = {"op": "create", "user": person()}
    reply = await shared.post("/users:batch", json={"operations": [operation]})
    two = (await shared.get(f"/users/{reply.json()['results'][0]['id']}")).json()
    await apply_plan(shared, await plan_file(shared, "email,name,email_verified\nthree@example.com,C,true\n"))
    (three,) = (await shared.get("/users", params={"email": "three@example.com"})).json()["items"]
    assert [user["email_verified"] for user in (one, two, three)] == [False] * 3


async def test_no_caller_says_that_an_address_is_verified(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    told = {"email_verified": True}
    assert pointers(await shared.post("/users", json=person(**told))) == {"/email_verified"}
    assert pointers(await shared.patch(f"/users/{user['id']}", json=told)) == {"/email_verified"}
    operation = {"op": "create", "user": person(**told)}
    batch = (await shared.post("/users:batch", json={"operations": [operation]})).json()["results"][0]
    assert (batch["status"], batch["error"]["code"]) == (422, "validation_failed")
    put = await shared.put(f"/users/{user['id']}", json=user | told)
    assert (put.status_code, put.json()["email_verified"]) == (200, False)
    wrong = await shared.put(f"/users/{user['id']}", json=user | {"email_verified": "yes"})
    assert pointers(wrong) == {"/email_verified"}
    (row,) = await plan_rows(shared, "id,email_verified", f"{user['id']},true")
    assert row["status"] == "unchanged"


async def test_the_filter_and_the_column_tell_who_is_verified(shared: httpx.AsyncClient) -> None:
    yes, no = await verified(shared, tags=["shown"]), await create(shared, tags=["shown"])
    assert await find(shared, tag="shown", email_verified="true") == [yes["id"]]
    assert await find(shared, tag="shown", email_verified="false") == [no["id"]]
    exported = await shared.get("/users/export?format=csv&columns=email_verified&tag=shown")
    assert read_texts(exported.content) == [{"email_verified": "TRUE"}, {"email_verified": "FALSE"}]


async def test_verifying_raises_the_version_and_stands_in_the_trail(shared: httpx.AsyncClient) -> None:
    user = await create(shared, profile={"title": "Kept"})
    assert await verify(shared, user)
    now = await read(shared, user)
    assert now == user | {"email_verified": True, "version": 2, "updated_at": now["updated_at"]}
    entry = (await shared.get("/audit", params={"user": user["id"]})).json()["items"][0]
    assert (entry["action"], entry["via"], entry["by"]) == ("changed", "mail", user["id"])
    assert entry["differences"] == [{"pointer": "/email_verified", "from": False, "to": True}]
    assert await verify(shared, user)
    assert (await read(shared, user))["version"] == 2


async def test_an_address_that_was_changed_meanwhile_is_not_verified(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    await patch(shared, user, {"email": "meanwhile@example.com"})
    assert not await verify(shared, user)
    assert (await read(shared, user))["email_verified"] is False


async def test_a_user_whom_the_release_before_wrote_is_read_and_verified(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    of_this = {"email": user["email"]}
    await users(shared).update_one(
        of_this, {"$unset": {"email_verified": ""}, "$pull": {"facets": "email_verified:false"}}
    )
    assert (await read(shared, user))["email_verified"] is False
    assert await verify(shared, user)
    assert await stored(shared, user) == (True, ["email_verified:true"])
