"""What is derived from the fields of old users, renewed: on a directory that an earlier commit left."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.core.mongo import BSON
from app.users.renewal import renew_derived
from models.fields import UserField
from models.user import FACETS, KEYS, SEARCHED
from tests.dumps.restoring import restore
from tests.support.api import serving
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import database, find, users

COMMIT = "e3c2132"
MIGRATED = ("keys", "facets")
"""What migrations renew; an administrator renews the search fields by a command, while people are served."""
UNSEEN = "\u200b"
"""A zero-width space, which earlier releases left around a text."""


@pytest.fixture(scope="module")
async def client(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    """As the users are after all migrations."""
    uri, redis_url = mongo_server.uri_of("t_renewal"), redis_server.url.removesuffix("/0") + "/3"
    restore(COMMIT, uri, redis_url)
    async with serving(uri, redis_url) as opened:
        yield opened
        await database(opened).client.drop_database("t_renewal")


async def holder(client: httpx.AsyncClient, each: UserField) -> tuple[str, Any]:
    """An old user who has a value of the field, and the value."""
    async for row in users(client).find():
        for value in each.values(row):
            return str(row["_id"]), value
    pytest.fail(f"nobody in the dump has {each.name}")


@pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in FACETS])
async def test_old_users_are_found_by_each_facet(client: httpx.AsyncClient, each: UserField) -> None:
    user, value = await holder(client, each)
    text = str(value).lower() if isinstance(value, bool) else value
    assert user in await find(client, limit="100", **{each.called: text})


@pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in SEARCHED.values()])
async def test_old_users_are_found_by_the_words_of_each_field(
    client: httpx.AsyncClient, each: UserField
) -> None:
    user, value = await holder(client, each)
    assert user in await find(client, limit="100", q=f'{each.called}:"{value}"')


@pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in KEYS])
async def test_old_users_come_in_the_order_of_each_text(client: httpx.AsyncClient, each: UserField) -> None:
    everybody = await find(client, limit="100", sort=each.name)
    assert len(everybody) == await users(client).count_documents({})
    held = await users(client).count_documents({each.stored_at: {"$type": "string"}})
    assert held == len([row async for row in users(client).find() if next(each.values(row), None)])


async def test_renewed_once_more_nothing_changes(client: httpx.AsyncClient) -> None:
    collection = users(client).with_options(codec_options=BSON)
    assert await renew_derived(collection, *MIGRATED, together=7) == 0
    assert await renew_derived(collection, *MIGRATED, "search", together=7) > 0
    before = [row async for row in collection.find()]
    assert await renew_derived(collection, *MIGRATED, "search", together=7) == 0
    assert [row async for row in collection.find()] == before


async def test_users_of_before_a_field_get_it_without_a_new_version(client: httpx.AsyncClient) -> None:
    collection = users(client).with_options(codec_options=BSON)
    before = [row async for row in collection.find()]
    await collection.update_many({}, {"$unset": {"avatar_url": "", "profile.bio": ""}})
    assert await renew_derived(collection, together=7) == len(before)
    for row in before:
        row["avatar_url"] = row["profile"]["bio"] = None
    assert [row async for row in collection.find()] == before


async def test_a_start_finds_again_what_earlier_releases_stored_with_unseen_blanks(
    bare_uri: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    restore(COMMIT, bare_uri, redis_url)
    async with serving(bare_uri, redis_url) as client:
        old, twin = [row async for row in users(client).find().limit(2)]
        facets = [*old["facets"], f"tag:{UNSEEN}vip"]
        await users(client).update_one(
            {"_id": old["_id"]}, {"$set": {"tags": [*old["tags"], f"{UNSEEN}vip"], "facets": facets}}
        )
        clashing = {"email": f"{UNSEEN}{old['email']}", "keys.email": f"{UNSEEN}{old['keys']['email']}"}
        await users(client).update_one({"_id": twin["_id"]}, {"$set": clashing})
        await database(client)["schema"].update_one({"_id": "schema"}, {"$set": {"version": 2}})
    async with serving(bare_uri, redis_url) as client:
        assert await find(client, tag="vip") == [str(old["_id"])]
        log = capsys.readouterr().err
        assert f'"users":["{twin["_id"]}"]' in log.replace(" ", "")
        assert "users_not_renewed" in log
