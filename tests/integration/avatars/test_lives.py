"""A picture lives while its user has it, and what is dead is swept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.core.errors import UnavailableError
from app.files import Files
from app.users.pictures import find_version
from tests.support.databases import PreparedDatabases
from tests.support.jobs import backends
from tests.support.listing import document
from tests.support.pictures import upload
from tests.support.servers import S3Server
from tests.support.users import create, database, problem, read, users

FOREIGN = "https://img.example.org/ana.png"


async def _url(client: httpx.AsyncClient, user: dict[str, Any]) -> str:
    return str((await read(client, user))["avatar_url"])


async def test_a_picture_dies_with_a_change_of_the_url_and_with_its_user(shared: httpx.AsyncClient) -> None:
    for change in ({"avatar_url": FOREIGN}, {"avatar_url": None}, None):
        user = await create(shared)
        path = await upload(shared, user)
        place = f"/users/{user['id']}"
        reply = await (shared.patch(place, json=change) if change else shared.delete(place))
        assert reply.status_code in {200, 204}
        problem(await shared.get(path), 404, "avatar_not_found")


async def test_a_url_from_elsewhere_that_looks_like_ours_harms_no_picture(shared: httpx.AsyncClient) -> None:
    victim = await create(shared)
    path = await upload(shared, victim)
    foreign = f"https://elsewhere.example{path}"
    user = await create(shared, avatar_url=foreign)
    assert (await shared.get(f"/users/{user['id']}/avatar")).headers["location"] == foreign
    assert (await shared.delete(f"/users/{user['id']}/avatar")).status_code == 204
    assert (await shared.get(path)).status_code == 200


async def test_what_was_never_a_version_is_not_found(shared: httpx.AsyncClient) -> None:
    for version in ("AbCdEfGhIjKlMnOpQrStUv", "x", "%00", "a" * 64):
        problem(await shared.get(f"/avatars/{version}"), 404, "avatar_not_found")
    problem(await shared.get(f"/avatars/{'a' * 65}"), 422, "validation_failed")


async def _age(client: httpx.AsyncClient) -> None:
    moment = datetime.now(UTC) - timedelta(days=2)
    await database(client)["avatars"].update_many({}, {"$set": {"checked_at": moment}})


async def test_the_sweep_deletes_what_no_user_has_and_keeps_the_rest(client: httpx.AsyncClient) -> None:
    gone, kept = await create(client), await create(client)
    await upload(client, gone)
    path = await upload(client, kept)
    await client.delete(f"/users/{gone['id']}")
    assert await backends(client).avatars.sweep() == 0
    await _age(client)
    assert await backends(client).avatars.sweep() == 1
    assert await backends(client).avatars.sweep() == 0
    held = database(client)
    assert await held["avatars"].count_documents({}) == 1
    assert await held["avatar_files.files"].count_documents({}) == 1
    assert await held["avatar_files.chunks"].count_documents({}) == 1
    assert (await client.get(path)).status_code == 200


async def test_what_cannot_be_deleted_at_once_is_swept(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await create(client)
    await upload(client, user)

    async def fail(*_: object) -> None:
        raise UnavailableError("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(Files, "delete", fail)
        assert (await client.delete(f"/users/{user['id']}/avatar")).status_code == 204
    await _age(client)
    assert await backends(client).avatars.sweep() == 1


async def test_pictures_get_a_new_address_with_the_service(client: httpx.AsyncClient) -> None:
    user, other, gone, malformed = [await create(client) for _ in range(4)]
    path, _, _, _ = [await upload(client, each) for each in (user, other, gone, malformed)]
    await client.patch(f"/users/{other['id']}", json={"avatar_url": FOREIGN})
    await client.delete(f"/users/{gone['id']}")
    await users(client).update_one(
        {"email": malformed["email"]}, {"$set": {"name": 1}}, bypass_document_validation=True
    )
    avatars = backends(client).avatars
    avatars._base = "https://new.example.com"
    await avatars.sweep()
    found = await read(client, user)
    assert (found["avatar_url"], found["version"]) == (f"https://new.example.com{path}", 3)
    entry = (await client.get("/audit", params={"user": user["id"]})).json()["items"][0]
    assert (entry["version"], entry["via"]) == (3, "migration")
    assert await _url(client, other) == FOREIGN
    assert (await client.get(path)).status_code == 200
    assert await database(client)["avatars"].count_documents({"base": "https://new.example.com"}) == 4


async def test_a_user_who_changes_while_pictures_get_a_new_address_is_looked_at_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await create(client)
    await upload(client, user)
    opened = backends(client)
    move = opened.users.set_avatar

    async def change_first(*asked: Any, **more: Any) -> Any:
        if (await read(client, user))["name"] != "Bo":
            await client.patch(f"/users/{user['id']}", json={"name": "Bo"})
        return await move(*asked, **more)

    monkeypatch.setattr(opened.users, "set_avatar", change_first)
    monkeypatch.setattr(opened.avatars, "_base", "https://new.example.com")
    await opened.avatars.sweep()
    found = await read(client, user)
    assert (found["name"], found["version"]) == ("Bo", 4)
    assert found["avatar_url"].startswith("https://new.example.com/")


async def test_a_page_of_a_thousand_users_with_pictures_is_the_query_that_it_is_without(
    client: httpx.AsyncClient,
) -> None:
    await users(client).insert_many([document(number) for number in range(1_001)])
    without = await _profile_page(client)
    shown = await create(client)
    await upload(client, shown)
    url = await _url(client, shown)
    another = {"$concat": [url.removesuffix(url[-22:]), {"$substrCP": [{"$toString": "$_id"}, 2, 22]}]}
    await users(client).update_many({"avatar_url": None}, [{"$set": {"avatar_url": another}}])
    assert await _profile_page(client) == without == ["users"]


async def _profile_page(client: httpx.AsyncClient) -> list[str]:
    """Where MongoDB looked for a page of a thousand users, whose pictures are ours or nobody's."""
    held = database(client)
    await held.command("profile", 2)
    page = (await client.get("/users", params={"limit": 1_000})).json()["items"]
    await held.command("profile", 0)
    noted = await held["system.profile"].find({"ns": {"$ne": f"{held.name}.system.profile"}}).to_list()
    await held.drop_collection("system.profile")
    assert len(page) == 1_000
    assert len({find_version(user["avatar_url"]) for user in page}) in {1, 1_000}
    return [note["ns"].removeprefix(f"{held.name}.") for note in noted]


async def test_pictures_lie_in_a_bucket_where_there_is_one(
    prepared_databases: PreparedDatabases, s3_server: S3Server
) -> None:
    async with prepared_databases.serving(**s3_server.settings) as client:
        path = await upload(client, await create(client))
        for size in (64, 128, 256, 512):
            assert (await client.get(path, params={"size": size})).status_code == 200
        assert any("/avatars/" in key for key in s3_server.list_keys())


async def test_what_the_sweep_asks_is_found_by_indexes(client: httpx.AsyncClient) -> None:
    held = database(client)["avatars"]
    due = {"checked_at": {"$lt": datetime.now(UTC)}}
    for found in (held.find(due).sort("checked_at"), held.find(backends(client).avatars._elsewhere())):
        plan = str((await found.explain())["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in plan
        assert "COLLSCAN" not in plan
        assert "'stage': 'SORT'" not in plan
