"""Clients of earlier releases get what clients are registered with now: on directories that they left."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.clients.client import older, read
from app.migrations import m0004_clients
from models.client import OLDER_GRANT_TYPES
from tests.dumps.people import ADMIN, PASSWORD
from tests.dumps.restoring import COMMITS, restore
from tests.support.api import serving
from tests.support.identity import ask_token, post_form
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import database

WITHOUT_CLIENTS = "14a6d74"
Old = tuple[httpx.AsyncClient, str]


@pytest.fixture(scope="module", params=[commit for commit in COMMITS if commit != WITHOUT_CLIENTS])
async def old(
    request: pytest.FixtureRequest, mongo_server: MongoServer, redis_server: RedisServer
) -> AsyncIterator[Old]:
    """This code on a directory of that commit, and the secret of its client."""
    uri, redis_url = mongo_server.uri_of("t_clients"), redis_server.url.removesuffix("/0") + "/3"
    known = restore(request.param, uri, redis_url)
    async with serving(uri, redis_url) as client:
        yield client, known.secret
        await database(client).client.drop_database("t_clients")


async def portal(client: httpx.AsyncClient) -> dict[str, Any]:
    documents: list[dict[str, Any]] = await database(client)["clients"].find({}).to_list()
    return documents[0]


async def test_an_old_client_has_a_subject_and_the_grant_types_that_it_could_use(old: Old) -> None:
    document = await portal(old[0])
    assert older(document) == {}
    client = read(document)
    assert (client.id, client.auth_method, client.scopes) == (
        *("portal", "client_secret_basic"), frozenset({"users:read"}),
    )  # fmt: skip
    assert client.grant_types == set(OLDER_GRANT_TYPES)
    assert not client.is_first_party
    assert len(client.subject) == 24


async def test_an_old_client_signs_users_in_as_before(old: Old) -> None:
    client, secret = old
    reply = await ask_token(client, ADMIN, PASSWORD, client_id="portal", client_secret=secret)
    assert (reply.status_code, reply.json()["scope"]) == (200, "users:read")


async def test_an_old_client_gets_a_new_secret_beside_its_old_one(old: Old) -> None:
    client, secret = old
    new = (await client.post("/clients/portal/secret")).json()["secret"]
    for good in (secret, new):
        form = {"client_id": "portal", "client_secret": good, "token": "a.b.c"}
        assert (await post_form(client, "/auth/introspect", form)).status_code == 200
    renamed = await client.patch("/clients/portal", json={"name": "Porch"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Porch"), renamed.text


async def test_done_once_more_nothing_changes(old: Old) -> None:
    before = await portal(old[0])
    await m0004_clients.migrate(database(old[0]))
    assert await portal(old[0]) == before


async def test_a_client_that_a_release_before_adds_is_read_as_it_will_be_migrated(old: Old) -> None:
    """While both releases run beside each other."""
    migrated = await portal(old[0])
    added = dict.fromkeys(
        older({"_id": "portal", "name": "Portal", "secret_hash": "0" * 64, "scopes": []}), ""
    )
    await database(old[0])["clients"].update_one({"_id": "portal"}, {"$unset": added})
    document = await portal(old[0])
    assert "subject" not in document
    assert read(document) == read(migrated)
    await m0004_clients.migrate(database(old[0]))
    assert await portal(old[0]) == migrated
