"""Consents: what users let clients have, and that it ends with whatever it rests on."""

import asyncio
from typing import Any

import httpx
import pytest
from beanie import PydanticObjectId

from app import oauth
from app.clients import Client
from app.core.errors import ClientNotFoundError, ConsentNotFoundError
from app.oauth.consents import Consents
from tests.support.applying import resources
from tests.support.clients import new_client
from tests.support.identity import ask_refresh, member, register_client, sign_in
from tests.support.users import database

USER = str(PydanticObjectId())
OTHER = str(PydanticObjectId())


def of(client: httpx.AsyncClient) -> Consents:
    return resources(client).auth.consents


async def registered(client: httpx.AsyncClient, name: str = "Portal") -> Client:
    held, _ = await register_client(client, name, is_public=True)
    return held


async def test_what_was_let_is_remembered_by_user_and_client(client: httpx.AsyncClient) -> None:
    portal, other = await registered(client), await registered(client)
    assert await of(client).find(USER, portal.id) == frozenset()
    await of(client).give(USER, portal.id, ["openid", "email"])
    await of(client).give(USER, portal.id, ["me"])
    assert await of(client).find(USER, portal.id) == {"openid", "email", "me"}
    assert await of(client).find(USER, other.id) == frozenset()
    assert await of(client).find(OTHER, portal.id) == frozenset()


async def test_what_is_given_at_the_same_time_is_all_remembered(client: httpx.AsyncClient) -> None:
    portal = await registered(client)
    scopes = ["openid", "profile", "email", "phone", "address", "offline_access", "me", "users:read"]
    await asyncio.gather(*(of(client).give(USER, portal.id, [scope]) for scope in scopes))
    assert await of(client).find(USER, portal.id) == set(scopes)
    assert await database(client)["consents"].count_documents({}) == 1


async def test_the_list_names_clients_and_holds_nobody_elses(client: httpx.AsyncClient) -> None:
    portal, other = await registered(client, "Portal"), await registered(client, "Another")
    await of(client).give(USER, portal.id, ["openid"])
    await of(client).give(USER, other.id, ["me"])
    await of(client).give(OTHER, portal.id, ["email"])
    listed = [(each.client_id, each.client_name, each.scopes) for each in await of(client).list_all(USER)]
    assert listed == [(other.id, "Another", ["me"]), (portal.id, "Portal", ["openid"])]


async def test_a_withdrawal_ends_what_the_client_holds_and_nothing_else(client: httpx.AsyncClient) -> None:
    user = await member(client)
    portal, other = await registered(client), await registered(client)
    tokens = {each.id: await sign_in(client, user, client_id=each.id) for each in (portal, other)}
    for each in (portal, other):
        await of(client).give(user["id"], each.id, ["me"])
    await of(client).withdraw(user["id"], portal.id)
    assert await of(client).find(user["id"], portal.id) == frozenset()
    assert await of(client).find(user["id"], other.id) == {"me"}

    async def refresh(held: Client) -> int:
        return (await ask_refresh(client, tokens[held.id]["refresh_token"], client_id=held.id)).status_code

    assert (await refresh(portal), await refresh(other)) == (400, 200)


async def test_a_withdrawal_that_failed_half_way_is_finished_by_the_next(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, portal = await member(client), await registered(client)
    tokens = await sign_in(client, user, client_id=portal.id)
    await of(client).give(user["id"], portal.id, ["me"])

    async def fail(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(resources(client).auth.sessions, "end", fail)
        with pytest.raises(ConnectionError):
            await of(client).withdraw(user["id"], portal.id)
    await of(client).withdraw(user["id"], portal.id)
    refused = await ask_refresh(client, tokens["refresh_token"], client_id=portal.id)
    assert refused.status_code == 400
    with pytest.raises(ConsentNotFoundError):
        await of(client).withdraw(user["id"], portal.id)


async def test_a_client_registered_anew_under_the_same_id_was_let_in_by_nobody(
    client: httpx.AsyncClient,
) -> None:
    portal = await registered(client)
    await of(client).give(USER, portal.id, ["openid"])
    clients = resources(client).auth.clients
    await clients.remove(portal.id)  # as a process that died before it forgot the consents
    assert await of(client).find(USER, portal.id) == frozenset()
    with pytest.raises(ClientNotFoundError):
        await of(client).give(USER, portal.id, ["openid"])
    await clients.register(new_client(is_public=True), client_id=portal.id)
    assert await of(client).find(USER, portal.id) == frozenset()
    assert await of(client).list_all(USER) == []
    await of(client).give(USER, portal.id, ["email"])
    assert await of(client).find(USER, portal.id) == {"email"}


async def test_consents_go_with_the_client_and_with_the_user(client: httpx.AsyncClient) -> None:
    user, portal, other = await member(client), await registered(client), await registered(client)
    for user_id, held in ((user["id"], portal), (user["id"], other), (USER, portal), (USER, other)):
        await of(client).give(user_id, held.id, ["me"])
    await oauth.remove_client(resources(client).auth, portal.id)
    assert (await client.delete(f"/users/{user['id']}")).status_code == 204
    (left,) = await database(client)["consents"].find({}).to_list()
    assert (str(left["user"]), left["client"]) == (USER, other.id)
