"""Tokens of a grant at the routes that every token meets: lists, sign-out, introspection, revocation."""

from dataclasses import dataclass
from typing import Any

import httpx

from app.auth.sessions import BrowserSession, new_grant
from app.clients import BUILT_IN, Client
from tests.support.applying import resources
from tests.support.identity import (
    ask_refresh,
    basic,
    call,
    member,
    oauth_error,
    post_form,
    register_client,
    sign_in,
)
from tests.support.users import problem

SCOPES = frozenset({"me", "users:read"})


@dataclass(frozen=True, slots=True)
class Granted:
    """What a client got through a browser session."""

    sid: str
    access_token: str
    refresh_token: str


async def open_browser(http: httpx.AsyncClient, user: dict[str, Any]) -> BrowserSession:
    """A sign-in in a browser of a user who signs in for the first time."""
    browser, _ = await resources(http).auth.browsers.begin(
        user["id"], 1, address="192.0.2.1", agent="Firefox", cookie=None
    )
    return browser


async def grant(http: httpx.AsyncClient, browser: BrowserSession, client: Client = BUILT_IN) -> Granted:
    auth = resources(http).auth
    sid = new_grant(browser.sid)
    begun = await auth.sessions.begin_grant(sid, client=client, scopes=SCOPES, ttl_s=None, auth_time=0)
    token, _ = auth.tokens.issue(user_id=browser.user_id, sid=sid, client_id=client.id, scopes=SCOPES)
    return Granted(sid, token, begun.refresh_token)


async def list_sessions(http: httpx.AsyncClient, token: str) -> list[dict[str, Any]]:
    reply = await call(http, "GET", "/users/me/sessions", token)
    assert reply.status_code == 200, reply.text
    return list(reply.json()["items"])


async def status_of(http: httpx.AsyncClient, granted: Granted) -> int:
    return (await call(http, "GET", "/users/me", granted.access_token)).status_code


async def test_a_browser_session_is_listed_with_its_clients_and_is_the_one_of_their_requests(
    shared: httpx.AsyncClient,
) -> None:
    user, (portal, _) = await member(shared, *SCOPES), await register_client(shared)
    browser = await open_browser(shared, user)
    granted, other = await grant(shared, browser, portal), await grant(shared, browser)
    own = await sign_in(shared, user)
    session, listed = await list_sessions(shared, granted.access_token)
    assert (listed["id"], listed["client_id"], listed["scopes"]) == (browser.sid, "roster", [])
    assert (listed["clients"], listed["current"]) == (sorted([portal.id, "roster"]), True)
    assert (session["clients"], session["current"]) == ([], False)
    assert [item["current"] for item in await list_sessions(shared, own["access_token"])] == [True, False]
    await call(shared, "POST", "/auth/logout", other.access_token)
    of_admin = await shared.get(f"/users/{user['id']}/sessions")
    assert [item["clients"] for item in of_admin.json()["items"]] == [[], [portal.id]]


async def test_a_session_of_a_browser_ends_by_its_id_and_a_grant_s_id_is_of_no_session(
    shared: httpx.AsyncClient,
) -> None:
    user = await member(shared, *SCOPES)
    browser = await open_browser(shared, user)
    granted = await grant(shared, browser)
    for url in (f"/users/me/sessions/{granted.sid}", f"/users/me/sessions/{new_grant(browser.sid)}"):
        problem(await call(shared, "DELETE", url, granted.access_token), 404, "session_not_found")
    problem(await shared.delete(f"/users/{user['id']}/sessions/{granted.sid}"), 404, "session_not_found")
    ended = await call(shared, "DELETE", f"/users/me/sessions/{browser.sid}", granted.access_token)
    assert ended.status_code == 204
    problem(await call(shared, "GET", "/users/me", granted.access_token), 401, "session_revoked")
    oauth_error(await ask_refresh(shared, granted.refresh_token), "invalid_grant")


async def test_a_sign_out_by_a_grant_s_token_ends_that_grant_alone(shared: httpx.AsyncClient) -> None:
    browser = await open_browser(shared, await member(shared, *SCOPES))
    granted, other = await grant(shared, browser), await grant(shared, browser)
    assert (await call(shared, "POST", "/auth/logout", granted.access_token)).status_code == 204
    assert [await status_of(shared, one) for one in (granted, other)] == [401, 200]


async def test_everywhere_but_here_keeps_the_browser_session_of_the_grant_that_asks(
    shared: httpx.AsyncClient,
) -> None:
    user = await member(shared, *SCOPES)
    mine, theirs = await open_browser(shared, user), await open_browser(shared, user)
    asking, beside, ended = [await grant(shared, place) for place in (mine, mine, theirs)]
    url = "/users/me/sessions?keep_current=true"
    assert (await call(shared, "DELETE", url, asking.access_token)).status_code == 204
    assert [await status_of(shared, one) for one in (asking, beside, ended)] == [200, 200, 401]
    assert (await call(shared, "DELETE", "/users/me/sessions", asking.access_token)).status_code == 204
    assert [await status_of(shared, one) for one in (asking, beside)] == [401, 401]


async def test_introspection_tells_of_a_grant_s_tokens_while_its_browser_session_lives(
    shared: httpx.AsyncClient,
) -> None:
    user, (portal, secret) = await member(shared, *SCOPES), await register_client(shared)
    browser = await open_browser(shared, user)
    granted = await grant(shared, browser, portal)

    async def inspect(token: str) -> dict[str, Any]:
        reply = await post_form(
            shared, "/auth/introspect", {"token": token}, Authorization=basic(portal.id, secret)
        )
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    for token, use in ((granted.access_token, "access_token"), (granted.refresh_token, "refresh_token")):
        answer = await inspect(token)
        assert (answer["active"], answer["token_use"], answer["client_id"]) == (True, use, portal.id)
        assert (answer["sub"], answer["sid"], answer["scope"]) == (user["id"], granted.sid, "me users:read")
    await resources(shared).auth.browsers.end(browser)
    for token in (granted.access_token, granted.refresh_token):
        assert await inspect(token) == {"active": False}


async def test_a_client_revokes_its_grant_by_either_token_and_no_other_client_s(
    shared: httpx.AsyncClient,
) -> None:
    browser = await open_browser(shared, await member(shared, *SCOPES))
    (portal, secret), (wiki, word) = await register_client(shared), await register_client(shared, "Wiki")
    first, second, other = [await grant(shared, browser, portal) for _ in range(3)]
    for token in (first.refresh_token, second.access_token):
        form = {"token": token, "client_id": wiki.id, "client_secret": word}
        oauth_error(await post_form(shared, "/auth/revoke", form), "unauthorized_client")
        form = {"token": token, "client_id": portal.id, "client_secret": secret}
        assert (await post_form(shared, "/auth/revoke", form)).status_code == 200
    assert [await status_of(shared, one) for one in (first, second, other)] == [401, 401, 200]


async def test_a_deactivated_user_s_grants_end_with_the_reply(shared: httpx.AsyncClient) -> None:
    user = await member(shared, *SCOPES)
    granted = await grant(shared, await open_browser(shared, user))
    assert await status_of(shared, granted) == 200
    deactivated = await shared.patch(f"/users/{user['id']}", json={"is_active": False})
    assert deactivated.status_code == 200
    problem(await call(shared, "GET", "/users/me", granted.access_token), 401, "session_revoked")
    oauth_error(await ask_refresh(shared, granted.refresh_token), "invalid_grant")
