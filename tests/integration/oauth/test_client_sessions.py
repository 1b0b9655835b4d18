"""The sessions of a client end with it, and are granted what it may have now."""

from typing import Any

import httpx
import pytest
from pymongo.errors import PyMongoError

from app import oauth
from app.clients import Client
from app.container import Container
from models.values import Scope
from tests.support.applying import resources
from tests.support.clients import new_client
from tests.support.identity import (
    OTHER_PASSWORD,
    PASSWORD,
    ask_refresh,
    ask_token,
    basic,
    call,
    member,
    oauth_error,
    post_form,
    register_client,
    sign_in,
)
from tests.support.sessions import forbid_mongodb
from tests.support.users import database

SCOPES = ("me", "users:read")
Tokens = dict[str, Any]


class Held:
    """A client, its proof, and a session that somebody began with it."""

    def __init__(self, http: httpx.AsyncClient, client: Client, secret: str) -> None:
        self.http = http
        self.client = client
        self.proof = {"client_id": client.id} | ({"client_secret": secret} if secret else {})

    async def begin(self, user: dict[str, Any]) -> Tokens:
        return await sign_in(self.http, user, **self.proof)

    async def refresh(self, tokens: Tokens, **form: str) -> httpx.Response:
        return await ask_refresh(self.http, tokens["refresh_token"], **self.proof, **form)

    async def register_anew(self) -> "Held":
        """Under the same id."""
        client, secret = await resources(self.http).auth.clients.register(
            new_client(is_public=self.client.is_public), client_id=self.client.id
        )
        return Held(self.http, client, secret or "")


async def hold(http: httpx.AsyncClient, *, is_public: bool = False) -> Held:
    return Held(http, *await register_client(http, is_public=is_public))


async def fate(http: httpx.AsyncClient, tokens: Tokens) -> str:
    reply = await call(http, "GET", "/users/me/sessions", tokens["access_token"])
    return "alive" if reply.status_code == 200 else str(reply.json()["code"])


async def introspect(http: httpx.AsyncClient, token: str) -> dict[str, Any]:
    service, secret = await register_client(http, "Service")
    reply = await post_form(
        http, "/auth/introspect", {"token": token}, Authorization=basic(service.id, secret)
    )
    return dict(reply.json())


async def remove(http: httpx.AsyncClient, held: Held) -> None:
    """As the command line does it."""
    await oauth.remove_client(resources(http).auth, held.client.id)


async def forget_clients(opened: Container) -> None:
    """As when what Redis was told of them has expired."""
    for key in await opened.connections.redis.keys("roster:client:*"):
        await opened.connections.redis.delete(key)


# --- a client that is removed


@pytest.mark.parametrize("is_public", [False, True])
async def test_a_removed_client_takes_its_sessions_with_it(
    client: httpx.AsyncClient, *, is_public: bool
) -> None:
    user = await member(client, *SCOPES)
    held, other = await hold(client, is_public=is_public), await hold(client)
    used, unused = await held.begin(user), await held.begin(user)
    others, built_in = await other.begin(user), await sign_in(client, user)
    assert await fate(client, used) == "alive"
    await remove(client, held)
    for tokens in (used, unused):
        assert await introspect(client, tokens["access_token"]) == {"active": False}
        assert await fate(client, tokens) == "session_revoked"
        oauth_error(await held.refresh(tokens), "invalid_client", 401)
        assert await fate(client, tokens) == "session_revoked"
    listed = await call(client, "GET", "/users/me/sessions", built_in["access_token"])
    assert {each["client_id"] for each in listed.json()["items"]} == {other.client.id, "roster"}
    for tokens in (others, built_in):
        assert await fate(client, tokens) == "alive"
    assert (await other.refresh(others)).status_code == 200


@pytest.mark.parametrize("is_public", [False, True])
@pytest.mark.parametrize("later", [False, True])
async def test_a_client_made_anew_under_the_same_id_inherits_no_session(
    client: httpx.AsyncClient, *, is_public: bool, later: bool
) -> None:
    user, held = await member(client, *SCOPES), await hold(client, is_public=is_public)
    used, unused, refreshed = [await held.begin(user) for _ in range(3)]
    assert await fate(client, used) == "alive"
    await remove(client, held)
    anew = await held.register_anew()
    fresh = await anew.begin(user)
    if later:
        await forget_clients(resources(client))
    assert await fate(client, fresh) == "alive"
    oauth_error(await anew.refresh(refreshed), "invalid_grant")
    for tokens in (used, unused, refreshed):
        assert await fate(client, tokens) == "session_revoked"
        assert await introspect(client, tokens["access_token"]) == {"active": False}
        oauth_error(await anew.refresh(tokens), "invalid_grant")
    renewed = await anew.refresh(fresh)
    assert renewed.status_code == 200
    assert await fate(client, renewed.json()) == "alive"


async def test_a_sign_in_on_its_way_does_not_outlive_its_client(client: httpx.AsyncClient) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    opened = resources(client)
    await remove(client, held)
    anew = await held.register_anew()
    for _ in range(2):
        late = await opened.auth.sessions.create(user["id"], 1, client=held.client, scopes=frozenset(SCOPES))
        token, _ = opened.auth.tokens.issue(
            user_id=user["id"], sid=late.sid, client_id=held.client.id, scopes=frozenset(SCOPES)
        )
        assert await fate(client, {"access_token": token}) == "session_revoked"
        await anew.begin(user)


async def test_a_client_of_before_registrations_keeps_its_sessions_until_it_is_removed(
    client: httpx.AsyncClient,
) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    await database(client)["clients"].update_one({"_id": held.client.id}, {"$unset": {"registration": ""}})
    tokens = await held.begin(user)
    (session,) = await resources(client).connections.redis.keys(f"roster:{{{user['id']}}}:session:*")
    await resources(client).connections.redis.hdel(session, "registration")  # as a release before stored it
    assert await fate(client, tokens) == "alive"
    tokens = (await held.refresh(tokens)).json()
    assert await fate(client, tokens) == "alive"
    await remove(client, held)
    await held.register_anew()
    assert await fate(client, tokens) == "session_revoked"


# --- a removal that is only half done


class CrashError(Exception):
    pass


async def crash(http: httpx.AsyncClient, held: Held, *, written: bool) -> None:
    async with resources(http).auth.sessions.ending_client(held.client.id):
        if written:
            await resources(http).auth.clients.remove(held.client.id)
        raise CrashError


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("later", [False, True])
async def test_after_a_removal_that_crashed_mongodb_says_which_sessions_stand(
    client: httpx.AsyncClient, *, written: bool, later: bool
) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    tokens = await held.begin(user)
    assert await fate(client, tokens) == "alive"
    with pytest.raises(CrashError):
        await crash(client, held, written=written)
    if later:
        await forget_clients(resources(client))
    expected = "session_revoked" if written else "alive"
    assert await fate(client, tokens) == expected
    assert (await introspect(client, tokens["access_token"]))["active"] is not written


async def test_no_session_is_let_through_while_mongodb_cannot_say(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    tokens = await held.begin(user)
    assert await fate(client, tokens) == "alive"
    with pytest.raises(CrashError):
        await crash(client, held, written=True)

    async def fail(_: object) -> dict[str, str]:
        raise PyMongoError

    monkeypatch.setattr(resources(client).auth.sessions._anchors, "find_registrations", fail)
    assert await fate(client, tokens) == "unavailable"


async def test_a_request_that_asked_mongodb_before_the_removal_vouches_for_nothing_after_it(
    client: httpx.AsyncClient,
) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    tokens = await held.begin(user)
    await remove(client, held)
    await resources(client).auth.sessions._store.confirm_client(held.client.id, held.client.registration)
    assert await fate(client, tokens) == "session_revoked"


# --- what a request costs


async def test_mongodb_is_asked_for_the_client_once_and_then_no_more(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    tokens, others = await held.begin(user), await held.begin(await member(client))
    for each in (tokens, others):
        assert await fate(client, each) == "alive"
    sessions = resources(client).auth.sessions
    forbid_mongodb(sessions, monkeypatch)
    for each in (tokens, others):
        await sessions.check(*_of(sessions.read(each["refresh_token"])), client_id=held.client.id)


def _of(token: Any) -> tuple[str, str]:
    return token.user_id, token.sid


# --- a client that is changed


async def test_a_refresh_grants_what_the_client_may_have_now(client: httpx.AsyncClient) -> None:
    user, held = await member(client, "me", "users:read", "users:write"), await hold(client)
    tokens = await held.begin(user)
    assert tokens["scope"] == "me users:read users:write"

    async def allow(*scopes: Scope, any_scope: bool = False) -> None:
        allowed = None if any_scope else frozenset(scopes)
        await resources(client).auth.clients.change(held.client.id, {"scopes": allowed})

    await allow("me", "users:read", "users:export")
    reply = await held.refresh(tokens)
    assert reply.json()["scope"] == "me users:read"
    reply = await held.refresh(reply.json(), scope="me")
    assert reply.json()["scope"] == "me"
    assert (await call(client, "GET", "/users", reply.json()["access_token"])).status_code == 403

    oauth_error(await held.refresh(reply.json(), scope="me users:write"), "invalid_scope")
    await allow("users:admin")
    oauth_error(await held.refresh(reply.json()), "invalid_scope")
    oauth_error(await ask_token(client, user["email"], **held.proof), "invalid_scope")

    await allow(any_scope=True)
    again = await held.refresh(reply.json())
    assert again.json()["scope"] == "me users:read users:write", "a refusal used no token up"


async def test_whose_client_changed_goes_on(client: httpx.AsyncClient) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    tokens = await held.begin(user)
    changed = await resources(client).auth.clients.change(
        held.client.id, {"name": "Porch", "scopes": frozenset({"me"})}
    )
    assert (changed.name, changed.scopes) == ("Porch", frozenset({"me"}))
    assert changed.registration == held.client.registration
    await resources(client).auth.clients.renew_secret(held.client.id)
    assert await fate(client, tokens) == "alive"


async def test_a_password_change_begins_a_session_of_the_same_client(client: httpx.AsyncClient) -> None:
    user, held = await member(client, *SCOPES), await hold(client)
    change = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    token = (await held.begin(user))["access_token"]
    reply = await call(client, "POST", "/users/me/password", token, json=change)
    assert await fate(client, reply.json()) == "alive"
    renewed = await held.refresh(reply.json())
    assert renewed.status_code == 200
    await remove(client, held)
    assert await fate(client, renewed.json()) == "session_revoked"
