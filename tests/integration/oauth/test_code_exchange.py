"""Codes at the token endpoint: good once, for their client, address and verifier."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.support.authorization import (
    CALLBACK,
    VERIFIER,
    Application,
    age,
    browse,
    container_of,
    register,
    sign_in_browser,
)
from tests.support.identity import call, member, oauth_error, parts, post_form
from tests.support.users import problem

GONE = "The code is not valid, has expired or was used, or it belongs to another request."


@pytest.fixture(scope="module")
async def portal(op: httpx.AsyncClient) -> Application:
    return await register(op)


@pytest.fixture
async def cookie(op: httpx.AsyncClient, user: dict[str, Any]) -> str:
    return await sign_in_browser(op, user)


async def test_a_grant_lives_within_the_browsers_session(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    tokens = await portal.get_tokens(cookie, scope="openid me")
    browser = await container_of(op).auth.browsers.find(cookie)
    assert browser is not None
    claims = parts(tokens["access_token"])[1]
    assert claims["sid"].startswith(f"{browser.sid}~")
    assert (claims["client_id"], claims["scope"]) == (portal.client.id, "me openid")
    assert parts(tokens["id_token"])[1]["sid"] == browser.sid
    assert (await call(op, "GET", "/users/me", tokens["access_token"])).status_code == 200
    await container_of(op).auth.browsers.end(browser)
    problem(await call(op, "GET", "/users/me", tokens["access_token"]), 401, "session_revoked")
    oauth_error(await portal.refresh(tokens["refresh_token"]), "invalid_grant")


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier"])
async def test_a_request_that_lacks_a_parameter_leaves_the_code_good(
    portal: Application, cookie: str, missing: str
) -> None:
    code = await portal.ask_code(cookie)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    del form[missing]
    assert missing in oauth_error(await portal.post("/auth/token", form), "invalid_request")
    assert (await portal.exchange(code)).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": "https://evil.example.com"},
        {"code_verifier": "x" * 43},
        {"code_verifier": VERIFIER.upper()},
        {"code_verifier": "short"},
        {"code_verifier": "ü" * 43},
        {"code_verifier": "x" * 129},
    ],
)
async def test_a_code_with_another_address_or_verifier_is_used_up(
    portal: Application, cookie: str, more: dict[str, str]
) -> None:
    code = await portal.ask_code(cookie)
    assert oauth_error(await portal.exchange(code, **more), "invalid_grant") == GONE
    assert oauth_error(await portal.exchange(code), "invalid_grant") == GONE


@pytest.mark.parametrize("code", ["x", "x" * 43, "é", "a.b.c", "~" * 200])
async def test_a_made_up_code_is_refused(portal: Application, code: str) -> None:
    assert oauth_error(await portal.exchange(code), "invalid_grant") == GONE


async def test_a_code_is_its_own_clients(op: httpx.AsyncClient, portal: Application, cookie: str) -> None:
    code, other = await portal.ask_code(cookie), await register(op)
    assert oauth_error(await other.exchange(code), "invalid_grant") == GONE


async def test_a_client_with_a_secret_must_prove_itself(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    code = await portal.ask_code(cookie)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": portal.client.id,
    }
    oauth_error(await post_form(op, "/auth/token", form), "invalid_client", 401)
    assert (await portal.exchange(code)).status_code == 200


async def test_a_code_is_void_once_the_consent_is_withdrawn(
    op: httpx.AsyncClient, user: dict[str, Any], cookie: str
) -> None:
    app, consents = await register(op, is_first_party=False), container_of(op).auth.consents
    await consents.give(user["id"], app.client.id, ["openid", "me"])
    code = await app.ask_code(cookie, scope="openid me")
    tokens = await app.get_tokens(cookie, scope="openid")
    await consents.withdraw(user["id"], app.client.id)
    assert oauth_error(await app.exchange(code), "invalid_grant") == GONE
    oauth_error(await app.refresh(tokens["refresh_token"]), "invalid_grant")
    browser = await container_of(op).auth.browsers.find(cookie)
    assert browser is not None, "the browser's own session goes on"
    assert await container_of(op).auth.sessions.grants(browser.sid) == {}


async def test_a_code_is_of_one_registration_of_its_client(op: httpx.AsyncClient, cookie: str) -> None:
    app, auth = await register(op), container_of(op).auth
    code = await app.ask_code(cookie)
    await auth.clients.remove(app.client.id)
    anew, secret = await auth.clients.register(app.client, client_id=app.client.id)
    other = Application(op, anew, secret or "")
    assert oauth_error(await other.exchange(code), "invalid_grant") == GONE


async def test_a_public_client_needs_no_secret(op: httpx.AsyncClient, cookie: str) -> None:
    app = await register(op, auth_method="none")
    assert "id_token" in await app.get_tokens(cookie)


async def test_a_pushed_request_or_a_flow_is_no_code(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    pushed = (await portal.post("/auth/par", portal.request())).json()["request_uri"]
    oauth_error(await portal.exchange(pushed.rpartition(":")[2]), "invalid_grant")
    code = await portal.ask_code(cookie)
    named = {"client_id": portal.client.id, "request_uri": f"urn:ietf:params:oauth:request_uri:{code}"}
    assert (await browse(op, "GET", "/auth/authorize", cookie, params=named)).status_code == 400


async def test_a_code_of_a_session_that_has_ended_is_refused(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    code = await portal.ask_code(cookie)
    browser = await container_of(op).auth.browsers.find(cookie)
    assert browser is not None
    await container_of(op).auth.browsers.end(browser)
    oauth_error(await portal.exchange(code), "invalid_grant")


async def test_of_many_exchanges_at_once_one_gets_tokens_which_are_void_then(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    for _ in range(4):
        code = await portal.ask_code(cookie)
        replies = await asyncio.gather(*(portal.exchange(code) for _ in range(20)))
        statuses = Counter(reply.status_code for reply in replies)
        assert statuses[400] >= 19
        for reply in replies:
            if reply.status_code == 200:
                token = reply.json()["access_token"]
                assert (await call(op, "GET", "/auth/userinfo", token)).status_code == 401
        assert (await portal.exchange(code)).status_code == 400


async def test_a_client_without_refresh_tokens_gets_none_and_its_grant_ends_with_the_token(
    op: httpx.AsyncClient, cookie: str
) -> None:
    app = await register(op, grant_types=frozenset({"authorization_code"}))
    tokens = await app.get_tokens(cookie)
    assert "refresh_token" not in tokens
    sid = parts(tokens["access_token"])[1]["sid"]
    key = f"roster:{{{parts(tokens['access_token'])[1]['sub']}}}:session:{sid}"
    left_ms = await container_of(op).connections.redis.pttl(key)
    assert 0 < left_ms <= 600_000


async def test_tokens_of_a_code_are_narrowed_and_kept_by_refreshing(portal: Application, cookie: str) -> None:
    tokens = await portal.get_tokens(cookie, scope="openid me users:read")
    reply = await portal.refresh(tokens["refresh_token"], scope="me")
    assert reply.json()["scope"] == "me"
    assert "id_token" not in reply.json()
    reply = await portal.refresh(reply.json()["refresh_token"])
    assert reply.json()["scope"] == "me openid users:read"
    assert "id_token" in reply.json()


async def test_refreshed_id_tokens_tell_the_first_sign_in(
    op: httpx.AsyncClient, portal: Application, user: dict[str, Any]
) -> None:
    cookie = await sign_in_browser(op, user)
    await age(op, cookie, 60)
    first = await portal.get_tokens(cookie)
    await sign_in_browser(op, user, cookie)  # which another ID token would tell
    second = (await portal.refresh(first["refresh_token"])).json()
    repeated = (await portal.refresh(first["refresh_token"])).json()
    third = (await portal.refresh(second["refresh_token"])).json()
    claims = [parts(each["id_token"])[1] for each in (first, second, repeated, third)]
    assert len({each["auth_time"] for each in claims}) == 1
    assert claims[0]["iat"] - claims[0]["auth_time"] >= 60


async def test_a_grant_of_an_older_release_is_refreshed_without_the_time_of_its_sign_in(
    op: httpx.AsyncClient, portal: Application, cookie: str, user: dict[str, Any]
) -> None:
    tokens = await portal.get_tokens(cookie)
    session = f"roster:{{{user['id']}}}:session:{parts(tokens['access_token'])[1]['sid']}"
    await container_of(op).connections.redis.hdel(session, "auth_time")
    refreshed = (await portal.refresh(tokens["refresh_token"])).json()
    assert "auth_time" not in parts(refreshed["id_token"])[1]


async def test_introspection_and_revocation_know_grants(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    tokens = await portal.get_tokens(cookie, scope="openid me")
    for kind in ("access_token", "refresh_token"):
        found = (await portal.post("/auth/introspect", {"token": tokens[kind]})).json()
        assert (found["active"], found["sub"], found["scope"]) == (True, user["id"], "me openid")
    assert (await portal.post("/auth/revoke", {"token": tokens["refresh_token"]})).status_code == 200
    problem(await call(op, "GET", "/users/me", tokens["access_token"]), 401, "session_revoked")
    assert await container_of(op).auth.browsers.find(cookie) is not None


async def test_userinfo_needs_the_scope_openid(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    token = (await portal.get_tokens(cookie, scope="me"))["access_token"]
    reply = await call(op, "GET", "/auth/userinfo", token)
    problem(reply, 403, "insufficient_scope")
    assert 'scope="openid"' in reply.headers["www-authenticate"]


async def test_userinfo_takes_one_token(op: httpx.AsyncClient, portal: Application, cookie: str) -> None:
    token = (await portal.get_tokens(cookie))["access_token"]
    sent: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}, "data": {"access_token": token}}
    oauth_error(await call(op, "POST", "/auth/userinfo", **sent), "invalid_request")
    problem(await call(op, "POST", "/auth/userinfo"), 401, "unauthenticated")
    problem(await post_form(op, "/auth/userinfo", {"access_token": "a.b.c"}), 401, "invalid_token")


async def test_an_id_token_opens_nothing(op: httpx.AsyncClient, portal: Application, cookie: str) -> None:
    token = (await portal.get_tokens(cookie, scope="openid me"))["id_token"]
    for path in ("/auth/userinfo", "/users/me"):
        problem(await call(op, "GET", path, token), 401, "invalid_token")


async def test_a_users_new_password_ends_all_grants(op: httpx.AsyncClient, portal: Application) -> None:
    user = await member(op)
    tokens = await portal.get_tokens(await sign_in_browser(op, user))
    await op.put(f"/users/{user['id']}/password", json={"password": "nine herons argue loudly"})
    problem(await call(op, "GET", "/auth/userinfo", tokens["access_token"]), 401, "session_revoked")
