"""Backup and restore, as docs/upkeep.md says it, and the check of what was restored."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId
from pymongo import MongoClient
from redis import Redis

from app.commands import integrity
from tests.support.api import serving
from tests.support.identity import ask_token, call, member, sign_in
from tests.support.imports import plan
from tests.support.live import command
from tests.support.servers import MongoServer
from tests.support.users import create, database, problem, users

WHOLE = "Schema, indexes, keys, users and search are whole, and nothing is orphaned."


def copy(server: MongoServer, before: str, after: str) -> None:
    """What mongodump and mongorestore do of a database at rest: each collection with its indexes."""
    with MongoClient[dict[str, Any]](server.uri) as client:
        held, restored = client.get_database(before), client.get_database(after)
        for each in list(held.list_collections()):
            name, options = each["name"], each["options"]
            restored.create_collection(name, **options)
            if documents := list(held[name].find()):
                restored[name].insert_many(documents)
            listed = [{**index} for index in held[name].list_indexes()]
            restored.command("createIndexes", name, indexes=listed)


async def test_what_was_saved_is_restored_whole_and_people_sign_in_again(
    mongo_server: MongoServer, mongo_uri: str, redis_url: str, tmp_path: Path
) -> None:
    before = mongo_uri.rpartition("/")[2].partition("?")[0]
    after = f"{before}_restored"
    restored_uri = mongo_server.uri_of(after)

    def check(uri: str) -> tuple[int, list[str]]:
        done = command(tmp_path, "check", mongo_uri=uri, redis_url=redis_url, log_level="error")
        return done.returncode, done.stdout.splitlines()

    async with serving(mongo_uri, redis_url) as client:
        ana = await member(client, "me", name="Ana Backup")
        token = (await sign_in(client, ana))["access_token"]
        await client.patch(f"/users/{ana['id']}", json={"profile": {"city": None}} | {"tags": ["kept"]})
    saved = check(mongo_uri)
    assert saved[0] == 0
    assert saved[1][-1] == WHOLE
    assert "           1 users" in saved[1]
    try:
        copy(mongo_server, before, after)
        with Redis.from_url(redis_url) as redis:
            redis.flushdb()  # sessions are not saved
        assert check(restored_uri) == saved
        async with serving(restored_uri, redis_url) as client:
            assert (await client.get("/users?q=backup")).json()["items"][0]["id"] == ana["id"]
            assert len((await client.get("/audit", params={"user": ana["id"]})).json()["items"]) >= 2
            me = await call(client, "GET", "/users/me", token)
            assert me.status_code in {200, 401}, "MongoDB confirms the session, or nobody does"
            assert (await ask_token(client, ana["email"])).status_code == 200
        with MongoClient[dict[str, Any]](restored_uri) as client_of_mongo:
            client_of_mongo.get_default_database()["users"].drop_index("phone")
        assert check(restored_uri) == (1, [*saved[1][:-1], "index phone is missing"])
    finally:
        with MongoClient[dict[str, Any]](mongo_server.uri) as dropping:
            dropping.drop_database(after)


async def wrong(client: httpx.AsyncClient, named: int = 20) -> list[str]:
    found = await integrity.check(client.app.state.container, named=named)  # type: ignore[attr-defined]  # set by `serving`
    return found.wrong


@pytest.fixture
async def working(mongo_uri: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_uri, redis_url, jobs_inside=True) as opened:
        yield opened


async def test_what_is_not_whole_is_named(working: httpx.AsyncClient) -> None:
    client = working
    ana, ben = await create(client, name="Ana"), await create(client, name="Ben")
    imported = await plan(client, "email,name\r\nnew@example.com,New\r\n")
    assert await wrong(client) == []
    held = database(client)
    file = (await held["imports"].find_one({}))["file"]["id"]
    await held.command("collMod", "users", validationLevel="off")
    await users(client).update_one({"_id": ObjectId(ana["id"])}, {"$set": {"tags": 7}})
    await users(client).update_one(
        {"_id": ObjectId(ben["id"])}, {"$set": {"search": {"v": 0, "t": [], "p": []}}}
    )
    await held.command("collMod", "users", validationLevel="strict")
    await held["imports"].delete_many({})
    await held["import_files.files"].delete_many({})
    await held["export_files.files"].insert_one({"_id": file, "length": 5})
    found = await wrong(client)
    assert f"user {ana['id']} has a field of a wrong type" in found
    assert f"user {ben['id']} has search fields that do not match their text" in found
    assert found[-3:] == [
        f"rows of the import {imported['id']} have no import",
        f"content of the file {file} of import_files has no file",
        f"the file {file} of export_files has no content",
    ]


async def test_many_wrong_users_are_not_all_named(client: httpx.AsyncClient) -> None:
    for _ in range(5):
        await create(client)
    await database(client).command("collMod", "users", validationLevel="off")
    await users(client).update_many({}, {"$set": {"version": "one"}})
    await database(client).command("collMod", "users", validationLevel="strict")
    found = [sentence for sentence in await wrong(client, named=2) if "user" in sentence]
    assert found[2] == "and 3 users more"


async def test_keys_of_another_secret_are_named(bare_uri: str, redis_url: str) -> None:
    async with serving(bare_uri, redis_url, secret_key="a" * 32) as client:
        assert await wrong(client) == []
    async with serving(bare_uri, redis_url, secret_key="b" * 32) as client:
        held = database(client)
        own = await held["keys"].find().sort("number", -1).limit(1).to_list()
        await held["keys"].delete_one({"_id": own[0]["_id"]})
        assert any("no signing key opens" in sentence for sentence in await wrong(client))
        await held["keys"].update_many({}, {"$set": {"number": "one"}})
        assert any("1 signing keys cannot be read" in sentence for sentence in await wrong(client))
        problem(await call(client, "GET", "/users/me"), 401, "unauthenticated")
