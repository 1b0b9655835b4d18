"""Introspection (RFC 7662) and revocation (RFC 7009), by registered clients."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from app.clients import Client
from tests.support.api import serving
from tests.support.identity import (
    ask_refresh,
    ask_token,
    basic,
    call,
    member,
    oauth_error,
    parts,
    post_form,
    register_client,
    sign_in,
    wear_out_refusals,
)
from tests.support.users import problem

INACTIVE = {"active": False}


@pytest.fixture
async def service(client: httpx.AsyncClient) -> tuple[Client, str]:
    """A client with a secret, such as an API that is handed our tokens."""
    return await register_client(client, "Service")


async def inspect(client: httpx.AsyncClient, service: tuple[Client, str], token: str) -> dict[str, Any]:
    held, secret = service
    reply = await post_form(
        client, "/auth/introspect", {"token": token}, Authorization=basic(held.id, secret)
    )
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    said: dict[str, Any] = reply.json()
    return said


def as_client(service: tuple[Client, str]) -> dict[str, str]:
    """For a form, so that the tokens are this client's own."""
    held, secret = service
    return {"client_id": held.id, "client_secret": secret}


async def revoke(client: httpx.AsyncClient, token: str, **form: str) -> httpx.Response:
    return await post_form(client, "/auth/revoke", {"token": token} | form)


async def status_of(client: httpx.AsyncClient, tokens: dict[str, Any]) -> int:
    return (await call(client, "GET", "/users/me", tokens["access_token"])).status_code


# --- introspection


async def test_an_active_token_is_told_about_until_its_session_ends(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    user = await member(client, "me", "users:read")
    tokens = await sign_in(client, user)
    _, claims = parts(tokens["access_token"])
    said = await inspect(client, service, tokens["access_token"])
    assert said == {
        "active": True, "token_type": "Bearer", "token_use": "access_token", "client_id": "roster",
        "scope": "me users:read",
        **{name: claims[name] for name in ("iss", "aud", "sub", "iat", "exp", "jti", "sid")},
    }  # fmt: skip
    assert (await call(client, "POST", "/auth/logout", tokens["access_token"])).status_code == 204
    assert await inspect(client, service, tokens["access_token"]) == INACTIVE


async def test_a_refresh_token_is_told_from_an_access_token_and_shown_to_its_own_client_alone(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    user = await member(client, "me", "users:read")
    of_another = await register_client(client, "Portal")
    tokens = await sign_in(client, user, **as_client(of_another))
    said = await inspect(client, of_another, tokens["refresh_token"])
    assert set(said) == {"active", "token_use", "client_id", "scope", "sid", "iat", "exp", "sub"}
    assert (said["active"], said["token_use"], said["sub"]) == (True, "refresh_token", user["id"])
    assert (said["client_id"], said["scope"]) == (of_another[0].id, "me users:read")
    assert await inspect(client, service, tokens["refresh_token"]) == INACTIVE
    assert (await inspect(client, service, tokens["access_token"]))["token_use"] == "access_token"
    of_a_public_one = await sign_in(client, user)
    assert await inspect(client, service, of_a_public_one["refresh_token"]) == INACTIVE
    assert (await ask_refresh(client, of_a_public_one["refresh_token"])).status_code == 200


async def test_every_end_that_is_told_is_the_real_one(mongo_uri: str, redis_url: str) -> None:
    lifetimes = {"access_token_ttl_s": 600, "session_idle_ttl_s": 900, "session_absolute_ttl_s": 1200}
    async with serving(mongo_uri, redis_url, **lifetimes) as client:
        mine = await register_client(client)
        as_mine = as_client(mine)
        user = await member(client)
        tokens = await sign_in(client, user, **as_mine)
        began = parts(tokens["access_token"])[1]["iat"]
        idle_end = (await inspect(client, mine, tokens["refresh_token"]))["exp"]
        assert idle_end - began in {900, 901}
        session = f"roster:{{{user['id']}}}:session:{tokens['refresh_token'].split('.')[0]}"
        redis = client.app.state.container.connections.redis  # type: ignore[attr-defined]  # set by `serving`
        await redis.hincrby(session, "expires_at", -800_000)  # as if begun so many milliseconds earlier
        tokens = (await ask_refresh(client, tokens["refresh_token"], **as_mine)).json()
        listed = (await client.get(f"/users/{user['id']}/sessions")).json()["items"][0]
        end = int(datetime.fromisoformat(listed["expires_at"]).timestamp())
        assert end - began in {400, 401}
        assert 395 <= tokens["expires_in"] <= 401
        for kind in ("access_token", "refresh_token"):
            assert (await inspect(client, mine, tokens[kind]))["exp"] == end
        await redis.delete(
            f"roster:{{{user['id']}}}:sessions"
        )  # what a lost index told is in the session, too
        assert abs((await inspect(client, mine, tokens["refresh_token"]))["exp"] - end) <= 1


@pytest.mark.parametrize(
    "what", ["deactivated", "deleted", "does not have these scopes", "signed out everywhere"]
)
async def test_introspection_agrees_with_the_routes_at_once(
    client: httpx.AsyncClient, service: tuple[Client, str], what: str
) -> None:
    user = await member(client, "me", "users:read")
    tokens = await sign_in(client, user, **as_client(service))
    for kind in ("access_token", "refresh_token"):
        assert (await inspect(client, service, tokens[kind]))["active"] is True
    path = f"/users/{user['id']}"
    match what:
        case "deactivated":
            await client.patch(path, json={"is_active": False})
        case "deleted":
            await client.delete(path)
        case "does not have these scopes":
            await client.patch(path, json={"scopes": ["me"]})
        case _:
            await client.delete(f"{path}/sessions")
    assert await status_of(client, tokens) == 401
    assert await inspect(client, service, tokens["access_token"]) == INACTIVE
    assert await inspect(client, service, tokens["refresh_token"]) == INACTIVE


async def test_a_rotated_refresh_token_is_inactive_and_its_successor_active(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    named = as_client(service)
    first = await sign_in(client, await member(client), **named)
    second = (await ask_refresh(client, first["refresh_token"], **named)).json()
    assert await inspect(client, service, first["refresh_token"]) == INACTIVE
    assert (await inspect(client, service, second["refresh_token"]))["active"] is True
    assert (await inspect(client, service, first["access_token"]))["active"] is True
    # To be looked at uses nothing up.
    assert (await ask_refresh(client, second["refresh_token"], **named)).status_code == 200


async def test_a_narrowed_access_token_shows_its_own_scopes(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    named = as_client(service)
    tokens = await sign_in(client, await member(client, "me", "users:read"), **named)
    narrow = (await ask_refresh(client, tokens["refresh_token"], scope="me", **named)).json()
    assert (await inspect(client, service, narrow["access_token"]))["scope"] == "me"
    assert (await inspect(client, service, narrow["refresh_token"]))["scope"] == "me users:read"


@pytest.mark.parametrize(
    "token",
    ["x", "é", "a.b.c", "x" * 500_000, "." * 9000, "A" * 43 + ".1." + "A" * 43, "null", "{}", " "],
    ids=["x", "e", "abc", "500 KB", "dots", "shaped", "null", "object", "space"],
)
async def test_what_is_no_token_of_ours_is_inactive(
    client: httpx.AsyncClient, service: tuple[Client, str], token: str
) -> None:
    assert await inspect(client, service, token) == INACTIVE


async def test_a_token_of_a_megabyte_is_too_much_for_either_endpoint(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    header = basic(service[0].id, service[1])
    for path in ("/auth/introspect", "/auth/revoke"):
        form = b"token=" + b"x" * 1_048_576
        problem(await post_form(client, path, form, Authorization=header), 413, "body_too_large")


async def test_a_hint_that_is_wrong_changes_nothing(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    tokens = await sign_in(client, await member(client), **as_client(service))
    header = basic(service[0].id, service[1])
    for kind, hint in (
        ("access_token", "refresh_token"),
        ("refresh_token", "access_token"),
        ("access_token", "x"),
    ):
        form = {"token": tokens[kind], "token_type_hint": hint}
        reply = await post_form(client, "/auth/introspect", form, Authorization=header)
        assert reply.json()["active"] is True


async def test_nobody_without_a_secret_may_introspect(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    public, _ = await register_client(client, "Public", is_public=True)
    token = (await sign_in(client, await member(client)))["access_token"]
    for form, header in (
        ({}, None),
        ({}, "Basic Og=="),
        ({"client_id": "roster"}, None),
        ({"client_id": public.id}, None),
        ({}, basic(public.id, "")),
        ({}, basic("nobody", "x")),
        ({}, basic(service[0].id, "x")),
        ({}, f"Bearer {token}"),
        ({"client_id": service[0].id}, None),
    ):
        headers = {} if header is None else {"Authorization": header}
        for inspected in (token, "x"):
            reply = await post_form(client, "/auth/introspect", {"token": inspected} | form, **headers)
            oauth_error(reply, "invalid_client", 401)
            assert reply.headers["www-authenticate"].startswith("Basic ")


async def test_a_form_without_a_token_is_an_invalid_request(
    client: httpx.AsyncClient, service: tuple[Client, str]
) -> None:
    header = basic(service[0].id, service[1])
    for path in ("/auth/introspect", "/auth/revoke"):
        for form in (b"", b"token=", b"token=a&token=b", b"tokens=a", b"token=%00"):
            oauth_error(await post_form(client, path, form, Authorization=header), "invalid_request")
        json = await call(client, "POST", path, json={"token": "x"}, headers={"Authorization": header})
        oauth_error(json, "invalid_request")
        got = await call(client, "GET", path, headers={"Authorization": header})
        assert (got.status_code, got.headers["allow"]) == (405, "POST")


async def test_guessing_at_secrets_is_throttled_for_right_ones_too(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, tries_per_address=3) as client:
        held, secret = await register_client(client)
        form = {"token": "x"}
        for wrong in ("a", "b", "c", "d"):
            reply = await post_form(client, "/auth/introspect", form, Authorization=basic(held.id, wrong))
            oauth_error(reply, "invalid_client", 401)
        await wear_out_refusals(client, "client_secrets")
        for right in (secret, "e"):
            reply = await post_form(client, "/auth/introspect", form, Authorization=basic(held.id, right))
            problem(reply, 429, "too_many_attempts")
            assert int(reply.headers["retry-after"]) >= 1


# --- revocation


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_either_token_revoked_ends_its_session_and_no_other(
    client: httpx.AsyncClient, kind: str
) -> None:
    user = await member(client)
    ended, going_on = await sign_in(client, user), await sign_in(client, user)
    for _ in range(2):
        reply = await revoke(client, ended[kind])
        assert (reply.status_code, reply.content) == (200, b"{}")
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["cache-control"] == "no-store"
    problem(await call(client, "GET", "/users/me", ended["access_token"]), 401, "session_revoked")
    oauth_error(await ask_refresh(client, ended["refresh_token"]), "invalid_grant")
    assert await status_of(client, going_on) == 200
    assert (await ask_refresh(client, going_on["refresh_token"])).status_code == 200


async def test_a_refresh_token_used_before_ends_its_session_when_revoked(client: httpx.AsyncClient) -> None:
    first = await sign_in(client, await member(client))
    second = (await ask_refresh(client, first["refresh_token"])).json()
    assert (await revoke(client, first["refresh_token"])).status_code == 200
    assert await status_of(client, second) == 401
    oauth_error(await ask_refresh(client, second["refresh_token"]), "invalid_grant")


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "A" * 43 + ".1." + "A" * 43, "y" * 100_000])
async def test_an_unknown_token_is_revoked_already(client: httpx.AsyncClient, token: str) -> None:
    reply = await revoke(client, token)
    assert (reply.status_code, reply.content) == (200, b"{}")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_client_revokes_its_own_tokens_alone(client: httpx.AsyncClient, kind: str) -> None:
    mine, secret = await register_client(client, "Mine")
    other, other_secret = await register_client(client, "Other")
    user = await member(client)
    reply = await ask_token(client, user["email"], client_id=mine.id, client_secret=secret)
    tokens = reply.json()
    for named in ({}, {"client_id": other.id, "client_secret": other_secret}):
        oauth_error(await revoke(client, tokens[kind], **named), "unauthorized_client")
        assert await status_of(client, tokens) == 200
    built_in = await sign_in(client, user)
    stolen = await revoke(client, built_in[kind], client_id=mine.id, client_secret=secret)
    oauth_error(stolen, "unauthorized_client")
    assert await status_of(client, built_in) == 200
    wrong = await revoke(client, tokens[kind], client_id=mine.id, client_secret="x")
    oauth_error(wrong, "invalid_client", 401)
    assert (await revoke(client, tokens[kind], client_id=mine.id, client_secret=secret)).status_code == 200
    assert await status_of(client, tokens) == 401
