"""Signing out by a client, by what the OpenID conformance suite's RP-initiated and back-channel plans ask.

Docstrings as in test_openid_conformance.
"""

from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from app.oauth.openid import Logout
from tests.support.authorization import (
    Application,
    answer_of,
    browse,
    container_of,
    page_of,
    register,
    sign_in_browser,
)
from tests.support.identity import call, member, parts
from tests.support.users import problem

BYE = "https://app.example.com/bye"


@pytest.fixture(scope="module")
async def user(op: httpx.AsyncClient) -> dict[str, Any]:
    return await member(op)


@pytest.fixture(scope="module")
async def portal(op: httpx.AsyncClient) -> Application:
    return await register(op, post_logout_redirect_uris=(BYE, f"{BYE}?tenant=1"))


@pytest.fixture
async def cookie(op: httpx.AsyncClient, user: dict[str, Any]) -> str:
    return await sign_in_browser(op, user)


async def leave(op: httpx.AsyncClient, cookie: str | None, **parameters: str) -> httpx.Response:
    return await browse(op, "GET", "/auth/end-session", cookie, params=parameters)


async def is_signed_in(portal: Application, cookie: str) -> bool:
    return "code" in answer_of(await portal.ask(cookie, prompt="none"))


def asked_of(op: httpx.AsyncClient, reply: httpx.Response) -> Logout:
    """What the page that the browser is sent to asks the user."""
    assert page_of(reply) == "sign-out"
    sealed = reply.headers["location"].partition("logout=")[2]
    return container_of(op).auth.logouts.open(sealed)


async def test_the_metadata_tell_where_to_sign_out(op: httpx.AsyncClient) -> None:
    """`oidcc-rp-initiated-logout-discovery-endpoint-verification`: passes."""
    metadata = (await op.get("/.well-known/openid-configuration")).json()
    assert metadata["end_session_endpoint"] == f"{metadata['issuer']}/auth/end-session"


async def test_the_metadata_tell_of_the_back_channel(op: httpx.AsyncClient) -> None:
    """`oidcc-backchannel-logout-discovery-endpoint-verification`: passes."""
    metadata = (await op.get("/.well-known/openid-configuration")).json()
    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_with_the_users_id_token_signs_them_out_at_once(
    op: httpx.AsyncClient, portal: Application, cookie: str, method: str
) -> None:
    """`oidcc-rp-initiated-logout`: passes, by GET and POST."""
    tokens = await portal.get_tokens(cookie)
    sent = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE, "state": "a&b"}
    how: dict[str, Any] = {"params": sent} if method == "GET" else {"data": sent}
    reply = await browse(op, method, "/auth/end-session", cookie, **how)
    assert (reply.status_code, reply.headers["location"]) == (303, f"{BYE}?state=a%26b")
    assert 'roster_session=""' in reply.headers["set-cookie"]
    assert not await is_signed_in(portal, cookie)
    problem(await call(op, "GET", "/auth/userinfo", tokens["access_token"]), 401, "session_revoked")


async def test_a_form_of_another_site_comes_without_a_cookie_and_is_taken_on(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    hint = (await portal.get_tokens(cookie))["id_token"]
    sent = {"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    reply = await browse(op, "POST", "/auth/end-session", data=sent)
    path, _, query = reply.headers["location"].partition("?")
    assert path == "end-session"
    reply = await browse(op, "GET", f"/auth/end-session?{query}", cookie)
    assert reply.headers["location"] == BYE
    assert not await is_signed_in(portal, cookie)


async def test_an_address_that_is_not_registered_is_not_gone_to(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-rp-initiated-logout-bad-post-logout-redirect-uri`: passes, with an error page."""
    hint = (await portal.get_tokens(cookie))["id_token"]
    reply = await leave(op, cookie, id_token_hint=hint, post_logout_redirect_uri="https://evil.example.com")
    assert reply.status_code == 400
    assert await is_signed_in(portal, cookie)


async def test_an_address_with_more_query_than_is_registered_is_not_gone_to(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri`: passes, with an error page."""
    hint = (await portal.get_tokens(cookie))["id_token"]
    reply = await leave(op, cookie, id_token_hint=hint, post_logout_redirect_uri=f"{BYE}?foo=bar")
    assert reply.status_code == 400


async def test_an_address_with_a_registered_query_keeps_it(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    hint = (await portal.get_tokens(cookie))["id_token"]
    uri = f"{BYE}?tenant=1"
    reply = await leave(op, cookie, id_token_hint=hint, post_logout_redirect_uri=uri, state="s")
    assert reply.headers["location"] == f"{uri}&state=s"


def unsigned(token: str) -> str:
    return "eyJhbGciOiJub25lIn0." + token.split(".")[1] + "."


def signed_by_another(token: str) -> str:
    header, claims = parts(token)
    return jwt.encode(header | {"alg": "HS256"}, claims, OctKey.generate_key(256))


async def test_an_id_token_that_was_changed_shows_nobody(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-rp-initiated-logout-modified-id-token-hint`: passes, a page asks.

    `oidcc-rp-initiated-logout-bad-id-token-hint`
    """
    tokens = await portal.get_tokens(cookie)
    hint, access_token = tokens["id_token"], tokens["access_token"]
    for bad in (unsigned(hint), signed_by_another(hint), hint[:-4] + "AAAA", "x", "a.b.c", access_token):
        reply = await leave(op, cookie, id_token_hint=bad, post_logout_redirect_uri=BYE)
        logout = asked_of(op, reply)
        assert (logout.client_id, logout.location) == (None, None)
    assert await is_signed_in(portal, cookie)


async def test_without_an_id_token_a_page_asks_and_nobody_is_sent_on(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-rp-initiated-logout-no-id-token-hint`: passes, a page asks."""
    reply = await leave(op, cookie, post_logout_redirect_uri=BYE, state="s")
    assert asked_of(op, reply).location is None
    assert await is_signed_in(portal, cookie)


async def test_without_an_id_token_a_client_that_is_named_may_have_the_user_sent_on(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    reply = await leave(op, cookie, client_id=portal.client.id, post_logout_redirect_uri=BYE, state="s")
    logout = asked_of(op, reply)
    assert (logout.client_id, logout.location) == (portal.client.id, f"{BYE}?state=s")
    assert await is_signed_in(portal, cookie)


@pytest.mark.parametrize("parameters", [{}, {"state": "s"}])
async def test_without_parameters_a_page_asks(
    op: httpx.AsyncClient, cookie: str, parameters: dict[str, str]
) -> None:
    """`oidcc-rp-initiated-logout-no-params`, `oidcc-rp-initiated-logout-only-state`: passes, a page asks."""
    assert asked_of(op, await leave(op, cookie, **parameters)).location is None


async def test_without_an_address_the_user_stays_on_our_page(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-rp-initiated-logout-no-post-logout-redirect-uri`: passes."""
    hint = (await portal.get_tokens(cookie))["id_token"]
    reply = await leave(op, cookie, id_token_hint=hint)
    assert reply.headers["location"] == "sign-out"
    assert not await is_signed_in(portal, cookie)


async def test_without_a_state_none_comes_back(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-rp-initiated-logout-no-state`: passes."""
    hint = (await portal.get_tokens(cookie))["id_token"]
    reply = await leave(op, cookie, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert reply.headers["location"] == BYE


async def test_an_id_token_of_another_user_signs_nobody_out(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    other = await sign_in_browser(op, await member(op))
    hint = (await portal.get_tokens(other))["id_token"]
    asked_of(op, await leave(op, cookie, id_token_hint=hint))
    assert await is_signed_in(portal, cookie)
    assert await is_signed_in(portal, other)


async def test_an_id_token_of_another_client_than_is_named_is_an_error(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    hint = (await portal.get_tokens(cookie))["id_token"]
    other = await register(op)
    reply = await leave(op, cookie, id_token_hint=hint, client_id=other.client.id)
    assert reply.status_code == 400
    assert await is_signed_in(portal, cookie)


async def test_one_who_is_signed_out_already_is_sent_on_at_once(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    hint = (await portal.get_tokens(cookie))["id_token"]
    for known in (None, "an-old-cookie"):
        reply = await leave(op, known, id_token_hint=hint, post_logout_redirect_uri=BYE)
        assert reply.headers["location"] == BYE
    assert await is_signed_in(portal, cookie)


async def test_a_request_that_is_too_long_is_refused(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    reply = await leave(op, cookie, client_id=portal.client.id, state="x" * 5_000)
    assert reply.status_code == 400
