"""A URL of a picture that comes back, by whatever way, leaves the picture as it is, and is nobody else's."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.applying import apply_plan
from tests.support.databases import PreparedDatabases
from tests.support.imports import counted, empty, plan
from tests.support.pictures import upload
from tests.support.users import create, find, person, read

FOREIGN = "https://img.example.org/ana.png"


@pytest.fixture(scope="module")
async def client(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(jobs_inside=True) as opened:
        yield opened


async def test_the_reply_of_get_can_be_sent_back(client: httpx.AsyncClient) -> None:
    user = await create(client)
    path = await upload(client, user)
    got = await read(client, user)
    again = await client.put(f"/users/{user['id']}", json=got)
    assert (again.status_code, again.json()) == (200, got)
    for name in ("http://127.0.0.1:9", "https://old.example.com"):
        patched = await client.patch(f"/users/{user['id']}", json={"avatar_url": f"{name}{path}?size=64"})
        assert (patched.status_code, patched.json()) == (200, got)


async def test_a_batch_with_the_url_in_it_changes_nothing(client: httpx.AsyncClient) -> None:
    user = await create(client)
    await upload(client, user)
    got = await read(client, user)
    operation = {"op": "update", "id": user["id"], "patch": {"avatar_url": got["avatar_url"]}}
    reply = await client.post("/users:batch", json={"operations": [operation]})
    assert reply.json()["results"][0]["version"] == got["version"]
    assert await read(client, user) == got


@pytest.mark.parametrize("form", ["csv", "xlsx", "ndjson", "ods"])
async def test_an_export_that_comes_back_leaves_pictures_as_they_are(
    client: httpx.AsyncClient, form: str
) -> None:
    await empty(client)
    user, _ = await create(client), await create(client, avatar_url=FOREIGN)
    await upload(client, user)
    exported = await client.get("/users/export", params={"format": form})
    path = await upload(client, user)
    planned = await plan(client, exported.content, "application/octet-stream")
    assert counted(planned) == {"unchanged": 2}
    await apply_plan(client, planned)
    assert (await client.get(path)).status_code == 200


async def test_the_picture_of_another_is_stored_by_no_way_in(client: httpx.AsyncClient) -> None:
    owner, user = await create(client), await create(client, avatar_url=FOREIGN)
    await upload(client, owner)
    url = (await read(client, owner))["avatar_url"]
    patched = await client.patch(f"/users/{user['id']}", json={"avatar_url": url})
    assert patched.json()["avatar_url"] == FOREIGN
    replaced = await client.put(f"/users/{user['id']}", json=person(avatar_url=url))
    assert replaced.json()["avatar_url"] == FOREIGN
    assert (await create(client, avatar_url=url))["avatar_url"] is None
    operations = [{"op": "create", "user": person(avatar_url=url)}]
    made = await client.post("/users:batch", json={"operations": operations})
    assert (await read(client, made.json()["results"][0]))["avatar_url"] is None


async def test_a_file_leaves_a_picture_as_it_is_and_gives_it_to_nobody_else(
    client: httpx.AsyncClient,
) -> None:
    user, other = await create(client), await create(client)
    path = await upload(client, user)
    before = await read(client, user)
    lines = [
        "email,name,avatar_url",
        f"{user['email']},{user['name']},https://old.example.com{path}",
        f"{other['email']},{other['name']},{before['avatar_url']}",
        f"new@example.com,New,{before['avatar_url']}",
    ]
    planned = await plan(client, "\n".join(lines) + "\n")
    assert counted(planned) == {"unchanged": 2, "create": 1}
    await apply_plan(client, planned)
    (made,) = await find(client, email="new@example.com")
    assert (await read(client, {"id": made}))["avatar_url"] is None
    assert await read(client, user) == before


async def test_a_revert_does_not_bring_back_a_picture_that_is_gone(client: httpx.AsyncClient) -> None:
    user = await create(client)
    await upload(client, user)
    content = f"email,name,avatar_url\n{user['email']},{user['name']},{FOREIGN}\n"
    applied = await apply_plan(client, await plan(client, content))
    reverting = await client.post(f"/users/imports/{applied['id']}/revert", headers={"Prefer": "wait=30"})
    assert counted(reverting.json()) == {"unchanged": 1}
    assert (await read(client, user))["avatar_url"] == FOREIGN
