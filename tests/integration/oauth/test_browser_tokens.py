"""Access tokens for the service's own pages, by the session of the browser that they are in."""

from typing import Any

import httpx
import pytest

from app.accounts import browsers
from app.oauth import browser_tokens
from tests.support.authorization import (
    CHALLENGE,
    VERIFIER,
    answer_of,
    browse,
    container_of,
    sign_in_browser,
)
from tests.support.identity import call, member, oauth_error, parts, post_form, register_client
from tests.support.users import pointers, problem

ORIGIN = "http://127.0.0.1:8000"
OWN = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
CONSOLE = "roster-console"


async def ask(
    http: httpx.AsyncClient, cookie: str | None, *, headers: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    """As a script of the console asks."""
    held = {} if cookie is None else {"Cookie": f"roster_session={cookie}"}
    sent, told = {"client_id": CONSOLE} | more, OWN if headers is None else headers
    return await call(http, "POST", "/auth/browser-token", json=sent, headers=told | held)


async def signed_in(http: httpx.AsyncClient, *scopes: str) -> tuple[dict[str, Any], str]:
    user = await member(http, *(scopes or ("me", "users:read")))
    return user, await sign_in_browser(http, user)


async def test_a_page_of_ours_gets_a_token_that_ends_with_the_browser_s_session(
    shared: httpx.AsyncClient,
) -> None:
    user, cookie = await signed_in(shared)
    reply = await ask(shared, cookie)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    told = reply.json()
    assert (told["scope"], "refresh_token" in told, "set-cookie" in reply.headers) == (
        *("me users:read", False),
        False,
    )
    _, claims = parts(told["access_token"])
    assert (claims["client_id"], claims["sub"]) == (CONSOLE, user["id"])
    mine = await call(shared, "GET", "/users/me/sessions", told["access_token"])
    (session,) = mine.json()["items"]
    assert (session["current"], session["clients"]) == (True, [CONSOLE])
    await call(shared, "DELETE", f"/users/me/sessions/{session['id']}", told["access_token"])
    problem(await call(shared, "GET", "/users/me", told["access_token"]), 401, "session_revoked")
    problem(await ask(shared, cookie), 401, "session_revoked")


async def test_a_page_may_ask_for_less(shared: httpx.AsyncClient) -> None:
    _, cookie = await signed_in(shared)
    assert (await ask(shared, cookie, scopes=["users:read"])).json()["scope"] == "users:read"
    reply = await ask(shared, cookie, scopes=["users:admin"])
    problem(reply, 403, "insufficient_scope")
    assert 'scope="users:admin"' in reply.headers["www-authenticate"]
    assert pointers(await ask(shared, cookie, scopes=["everything"])) == {"/scopes/0"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=["no page", "another site", "an old browser", "a sandbox", "a neighbour", "the address bar"],
)
async def test_what_is_no_page_of_ours_gets_nothing(
    shared: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    _, cookie = await signed_in(shared)
    problem(await ask(shared, cookie, headers=headers), 403, "foreign_page")


@pytest.mark.parametrize("headers", [{"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}])
async def test_either_header_of_an_honest_browser_will_do(
    shared: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    _, cookie = await signed_in(shared)
    assert (await ask(shared, cookie, headers=headers)).status_code == 200


@pytest.mark.parametrize("cookie", [None, "", "forged.1.cookie"])
async def test_a_browser_in_which_nobody_is_signed_in_is_told_so(
    shared: httpx.AsyncClient, cookie: str | None
) -> None:
    problem(await ask(shared, cookie), 401, "not_signed_in")


async def test_a_cookie_of_a_sign_in_before_the_last_is_good_no_more(shared: httpx.AsyncClient) -> None:
    user, cookie = await signed_in(shared)
    renewed = await sign_in_browser(shared, user, cookie)
    assert renewed != cookie
    problem(await ask(shared, cookie), 401, "not_signed_in")
    assert (await ask(shared, renewed)).status_code == 200


async def test_a_session_that_ends_at_this_moment_gives_no_token(
    shared: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cookie = await signed_in(shared)
    read = browsers.read_account

    async def read_late(auth: Any, user_id: str) -> Any:
        account = await read(auth, user_id)
        browser = await auth.browsers.find(cookie)
        await auth.browsers.end(browser)
        return account

    monkeypatch.setattr(browser_tokens, "read_account", read_late)
    problem(await ask(shared, cookie), 401, "session_revoked")


async def test_only_a_first_party_client_with_a_page_of_ours_may_ask(shared: httpx.AsyncClient) -> None:
    _, cookie = await signed_in(shared)
    for strange in ("nobody", "roster:console", ""):
        assert pointers(await ask(shared, cookie, client_id=strange)) == {"/client_id"}
    code: dict[str, Any] = {"grant_types": frozenset({"authorization_code"})}
    ours, theirs = f"{ORIGIN}/intranet", "https://app.example.com/callback"
    for public, first, uri in ((False, True, ours), (True, False, ours), (True, True, theirs)):
        client, _ = await register_client(
            shared, is_public=public, is_first_party=first, redirect_uris=(uri,), **code
        )
        assert pointers(await ask(shared, cookie, client_id=client.id)) == {"/client_id"}
    own, _ = await register_client(shared, is_public=True, is_first_party=True, redirect_uris=(ours,), **code)
    assert (await ask(shared, cookie, client_id=own.id)).status_code == 200


async def test_the_console_signs_in_by_a_code_without_consent_and_without_a_refresh_token(
    shared: httpx.AsyncClient,
) -> None:
    _, cookie = await signed_in(shared, "me", "users:read", "users:admin")
    place = f"{container_of(shared).settings.issuer_url}/console"
    asked = {
        "response_type": "code", "client_id": CONSOLE, "redirect_uri": place, "state": "kept",
        "scope": "me users:read users:write users:export users:admin",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    answer = answer_of(await browse(shared, "GET", "/auth/authorize", cookie, params=asked), place)
    form = {"grant_type": "authorization_code", "client_id": CONSOLE, "redirect_uri": place}
    reply = await post_form(shared, "/auth/token", form | {"code": answer["code"], "code_verifier": VERIFIER})
    told = reply.json()
    assert (told["scope"], "refresh_token" in told) == ("me users:admin users:read", False)
    password = {"grant_type": "password", "client_id": CONSOLE, "username": "a", "password": "b"}
    oauth_error(await post_form(shared, "/auth/token", password), "unauthorized_client")
