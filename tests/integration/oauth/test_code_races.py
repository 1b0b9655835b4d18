"""Codes when fifty use one at once, and when Redis, the user or the client goes away on the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app import oauth
from tests.integration.auth.test_session_faults import killed
from tests.support.api import serving
from tests.support.authorization import (
    CALLBACK,
    CODE_AND_REFRESH,
    browse,
    container_of,
    page_of,
    register,
    sign_in_browser,
)
from tests.support.clients import new_client
from tests.support.identity import call, member, oauth_error
from tests.support.servers import RedisServer
from tests.support.users import problem

ROUNDS = 4
"""`make races` has 200; `test_one_time.py` has 200 of what decides: the uses of one record."""
AT_ONCE = 50
ASKED = {"scope": "openid me"}


async def fate(http: httpx.AsyncClient, tokens: dict[str, Any]) -> str:
    reply = await call(http, "GET", "/users/me", tokens["access_token"])
    return "alive" if reply.status_code == 200 else str(reply.json()["code"])


# --- many at once


async def test_of_50_exchanges_of_a_code_at_once_one_gives_tokens_and_then_all_are_dead(
    shared: httpx.AsyncClient,
) -> None:
    portal, cookie = await register(shared), await sign_in_browser(shared, await member(shared))
    given = 0
    for _ in range(ROUNDS):
        code = await portal.ask_code(cookie, **ASKED)
        replies = await asyncio.gather(*(portal.exchange(code) for _ in range(AT_ONCE)))
        assert Counter(reply.status_code for reply in replies)[400] >= AT_ONCE - 1
        for reply in replies:
            if reply.status_code == 400:
                oauth_error(reply, "invalid_grant")
                continue
            given += 1
            assert await fate(shared, reply.json()) == "session_revoked"
            oauth_error(await portal.refresh(reply.json()["refresh_token"]), "invalid_grant")
    assert given > 0
    browser = await container_of(shared).auth.browsers.find(cookie)
    assert browser is not None
    assert await container_of(shared).auth.sessions.grants(browser.sid) == {}
    assert await fate(shared, await portal.get_tokens(cookie, **ASKED)) == "alive"


async def test_a_code_used_again_later_ends_what_it_gave_and_what_became_of_that(
    shared: httpx.AsyncClient,
) -> None:
    portal, cookie = await register(shared), await sign_in_browser(shared, await member(shared))
    code = await portal.ask_code(cookie, **ASKED)
    tokens = (await portal.exchange(code)).json()
    other = await portal.get_tokens(cookie, **ASKED)
    renewed = (await portal.refresh(tokens["refresh_token"])).json()
    oauth_error(await portal.exchange(code), "invalid_grant")
    fates = [await fate(shared, one) for one in (tokens, renewed, other)]
    assert fates == ["session_revoked", "session_revoked", "alive"]
    assert await container_of(shared).auth.browsers.find(cookie) is not None


# --- Redis goes away


@pytest.fixture
async def harmed(mongo_uri: str, own_redis: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mongo_uri, own_redis.url) as opened:
        yield opened


async def test_redis_killed_between_code_and_token_makes_the_code_void_and_signs_nobody_out(
    harmed: httpx.AsyncClient, own_redis: RedisServer
) -> None:
    portal, cookie = await register(harmed), await sign_in_browser(harmed, await member(harmed))
    used, unused = [await portal.ask_code(cookie, **ASKED) for _ in range(2)]
    tokens = (await portal.exchange(used)).json()
    async with killed(own_redis):
        problem(await portal.exchange(unused), 503, "unavailable")
        problem(await call(harmed, "GET", "/users/me", tokens["access_token"]), 503, "unavailable")
    for code in (used, unused):
        oauth_error(await portal.exchange(code), "invalid_grant")
    assert await fate(harmed, tokens) == "alive"
    assert await fate(harmed, await portal.get_tokens(cookie, **ASKED)) == "alive"


# --- the user goes away


async def test_a_user_deactivated_while_the_page_of_consent_is_open_gets_nowhere(
    shared: httpx.AsyncClient,
) -> None:
    user, portal = await member(shared), await register(shared, is_first_party=False)
    cookie = await sign_in_browser(shared, user)
    asked = await portal.ask(cookie, **ASKED)
    assert page_of(asked) == "consent"
    flow = asked.headers["location"].partition("?")[2]
    deactivated = await shared.patch(f"/users/{user['id']}", json={"is_active": False})
    assert deactivated.status_code == 200
    assert page_of(await browse(shared, "GET", f"/auth/continue?{flow}", cookie)) == "sign-in"
    assert page_of(await portal.ask(cookie, **ASKED)) == "sign-in"


@pytest.mark.parametrize("end", ["deactivated", "signed out"])
async def test_a_user_who_goes_between_code_and_token_gets_no_token(
    shared: httpx.AsyncClient, end: str
) -> None:
    user, portal = await member(shared), await register(shared)
    cookie = await sign_in_browser(shared, user)
    code, other = [await portal.ask_code(cookie, **ASKED) for _ in range(2)]
    if end == "deactivated":
        await shared.patch(f"/users/{user['id']}", json={"is_active": False})
        oauth_error(await portal.exchange(code), "invalid_grant")
        await shared.patch(f"/users/{user['id']}", json={"is_active": True})
    else:
        assert (await shared.delete(f"/users/{user['id']}/sessions")).status_code == 204
        oauth_error(await portal.exchange(code), "invalid_grant")
    oauth_error(await portal.exchange(other), "invalid_grant")
    assert page_of(await portal.ask(cookie, **ASKED)) == "sign-in"


# --- the client goes away


async def test_nobody_is_sent_to_a_client_removed_while_the_page_of_consent_is_open(
    shared: httpx.AsyncClient,
) -> None:
    portal = await register(shared, is_first_party=False)
    cookie = await sign_in_browser(shared, await member(shared))
    flow = (await portal.ask(cookie, **ASKED)).headers["location"].partition("?")[2]
    await oauth.remove_client(container_of(shared).auth, portal.client.id)
    reply = await browse(shared, "GET", f"/auth/continue?{flow}", cookie)
    assert reply.status_code == 400
    assert "location" not in reply.headers


async def test_a_client_removed_between_code_and_token_gets_no_token(shared: httpx.AsyncClient) -> None:
    portal, cookie = await register(shared), await sign_in_browser(shared, await member(shared))
    tokens, code = await portal.get_tokens(cookie, **ASKED), await portal.ask_code(cookie, **ASKED)
    await oauth.remove_client(container_of(shared).auth, portal.client.id)
    oauth_error(await portal.exchange(code), "invalid_client", 401)
    assert await fate(shared, tokens) == "session_revoked"


async def test_a_client_made_anew_under_the_same_id_gets_no_token_of_a_code_of_before(
    shared: httpx.AsyncClient,
) -> None:
    portal = await register(shared, auth_method="none")
    cookie = await sign_in_browser(shared, await member(shared))
    code = await portal.ask_code(cookie, **ASKED)
    auth = container_of(shared).auth
    await oauth.remove_client(auth, portal.client.id)
    anew = new_client(is_public=True, redirect_uris=(CALLBACK,), grant_types=CODE_AND_REFRESH)
    await auth.clients.register(anew, client_id=portal.client.id)
    oauth_error(await portal.exchange(code), "invalid_grant")
