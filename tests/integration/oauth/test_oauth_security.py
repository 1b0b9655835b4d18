"""What RFC 9700 and OAuth 2.1 ask of a sign-in by a browser; docs/security-of-oauth.md has the table."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from app.clients import NewClient
from app.core.errors import InvalidError
from tests.support.authorization import (
    CALLBACK,
    CHALLENGE,
    Application,
    answer_of,
    container_of,
    register,
    sign_in_browser,
)
from tests.support.browsing import Person, find_forms
from tests.support.databases import PreparedDatabases
from tests.support.identity import PASSWORD, call, member, oauth_error

_APP = "app.example.com"
_LOOPBACK = "http://127.0.0.1/callback"
_PRIVATE = "com.example.app:/callback"
_ISSUER = "http://127.0.0.1:8000"
_ORIGIN = "https://console.example.com"
_OTHER_VERIFIER = "another-verifier-of-at-least-43-characters-0123"


@pytest.fixture(scope="module")
async def op(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared_databases.serving(cors_origins=_ORIGIN) as http:
        yield http


@pytest.fixture(scope="module")
async def ana(op: httpx.AsyncClient) -> dict[str, Any]:
    return await member(op)


@pytest.fixture(scope="module")
async def portal(op: httpx.AsyncClient) -> Application:
    return await register(op, redirect_uris=(CALLBACK, f"{CALLBACK}?tenant=1", _LOOPBACK, _PRIVATE))


@pytest.fixture
async def cookie(op: httpx.AsyncClient, ana: dict[str, Any]) -> str:
    """Of a browser in which Ana has signed in."""
    return await sign_in_browser(op, ana)


@pytest.fixture
async def browser(op: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """One in which nobody has signed in."""
    async with httpx.AsyncClient(transport=op._transport, base_url=_ISSUER) as opened:
        yield opened


# --- redirect URIs (RFC 9700, sections 2.1, 4.1 and 4.11)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        f"https://{_APP}",
        f"https://{_APP}/",
        f"{CALLBACK}/",
        f"{CALLBACK}?",
        f"{CALLBACK}#",
        f"{CALLBACK}#code=x",
        f"{CALLBACK}?tenant=2",
        f"{CALLBACK}?tenant=1&next=https://evil.example",
        f"{CALLBACK}/../evil",
        f"{CALLBACK}%2f..%2fevil",
        f"{CALLBACK}%00",
        f"{CALLBACK}%0d%0aSet-Cookie:a=b",
        f"{CALLBACK}\r\nSet-Cookie: a=b",
        f" {CALLBACK}",
        f"{CALLBACK} ",
        f"{CALLBACK}\t",
        f"https://{_APP}/%63allback",
        f"https://{_APP}/Callback",
        f"https://{_APP.upper()}/callback",
        f"HTTPS://{_APP}/callback",
        f"http://{_APP}/callback",
        f"//{_APP}/callback",
        f"https:{_APP}/callback",
        f"https:///{_APP}/callback",
        f"https://{_APP}:443/callback",
        f"https://{_APP}./callback",
        f"https://{_APP}.evil.example/callback",
        f"https://evil.{_APP}/callback",
        f"https://evil-{_APP}/callback",
        f"https://{_APP}@evil.example/callback",
        f"https://evil.example@{_APP}/callback",
        f"https://{_APP}:x@evil.example/callback",
        f"https://{_APP}%2f@evil.example/callback",
        f"https://{_APP}%23@evil.example/callback",
        f"https://{_APP}\\@evil.example/callback",
        f"https://evil.example\\.{_APP}/callback",
        "https://аpp.example.com/callback",
        f"https://evil.example/?{CALLBACK}",
        f"https://evil.example/#{CALLBACK}",
        f"{CALLBACK},https://evil.example",
        f"{CALLBACK} https://evil.example",
        "javascript:alert(document.domain)//callback",
        "data:text/html,callback",
        "http://127.0.0.1:4000/other",
        "http://127.0.0.1:4000@evil.example/callback",
        "http://127.0.0.1:x/callback",
        "http://127.0.0.1:4000:1/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.1/callback",
        "http://localhost:4000/callback",
        "http://[::1]:4000/callback",
        "https://127.0.0.1:4000/callback",
        "com.example.app://callback",
        "com.example.app:/callback2",
        "com.example.other:/callback",
    ],
)
async def test_a_redirect_uri_that_is_not_a_registered_one_is_a_page_and_no_redirect(
    portal: Application, cookie: str, uri: str
) -> None:
    reply = await portal.ask(cookie, redirect_uri=uri)
    assert reply.status_code == 400
    assert "location" not in reply.headers
    assert "set-cookie: a=b" not in str(reply.headers).lower()


@pytest.mark.parametrize(
    "uri",
    [f"{CALLBACK}?tenant=1", "http://127.0.0.1:4000/callback", "http://127.0.0.1:65535/callback", _PRIVATE],
)
async def test_a_registered_address_gets_the_code_and_keeps_its_own_query(
    portal: Application, cookie: str, uri: str
) -> None:
    reply = await portal.ask(cookie, redirect_uri=uri)
    assert reply.headers["location"].startswith(uri)
    code = httpx.URL(reply.headers["location"]).params["code"]
    assert (await portal.exchange(code, redirect_uri=uri)).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{}, {"prompt": "none"}, {"response_type": "token"}, {"scope": "x"}], ids=str
)
@pytest.mark.parametrize(
    "whose",
    [{"client_id": "nobody"}, {"client_id": None}, {"redirect_uri": "https://evil.example/"}],
    ids=str,
)
async def test_an_address_that_is_not_proven_is_never_used(
    portal: Application, cookie: str, whose: dict[str, str | None], wrong: dict[str, str]
) -> None:
    """No open redirect, and no covert one."""
    for signed_in in (cookie, None):
        reply = await portal.ask(signed_in, **whose, **wrong)
        assert (reply.status_code, "location" in reply.headers) == (400, False)


# --- mix-up (sections 2.1 and 4.4)


@pytest.mark.parametrize(
    "more", [{}, {"prompt": "none"}, {"response_type": "token"}, {"scope": "users:nonsense"}], ids=str
)
async def test_every_answer_names_its_issuer(portal: Application, cookie: str, more: dict[str, str]) -> None:
    answer = httpx.URL((await portal.ask(cookie, **more)).headers["location"]).params
    assert answer["iss"] == _ISSUER
    assert answer["state"] == "a state"
    metadata = (await portal.http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["issuer"] == answer["iss"]
    assert metadata["authorization_response_iss_parameter_supported"] is True


# --- injection and replay of codes, PKCE (sections 2.1.1, 4.5 and 4.8)


@pytest.mark.parametrize(
    "more",
    [
        {"code_challenge": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": ""},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "x" * 129},
        {"code_challenge": "!" * 43},
    ],
    ids=str,
)
async def test_there_is_no_code_without_pkce_by_s256(
    portal: Application, cookie: str, more: dict[str, str | None]
) -> None:
    assert answer_of(await portal.ask(cookie, **more))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "form", [{"code_verifier": ""}, {"code_verifier": _OTHER_VERIFIER}], ids=["none", "other"]
)
async def test_a_code_without_its_verifier_is_good_for_nothing(
    portal: Application, cookie: str, form: dict[str, str]
) -> None:
    reply = await portal.exchange(await portal.ask_code(cookie), **form)
    assert reply.status_code == 400
    assert reply.json()["error"] in {"invalid_grant", "invalid_request"}


async def test_the_challenge_is_no_verifier(portal: Application, cookie: str) -> None:
    """A downgrade to `plain` at the token endpoint."""
    code = await portal.ask_code(cookie)
    oauth_error(await portal.exchange(code, code_verifier=CHALLENGE), "invalid_grant")


async def test_a_code_that_was_injected_into_another_sign_in_is_refused(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """A stolen code has the challenge of the sign-in that it comes from, and the client."""
    oauth_error(
        await portal.exchange(await portal.ask_code(cookie), code_verifier=_OTHER_VERIFIER), "invalid_grant"
    )
    other = await register(op)
    oauth_error(await other.exchange(await portal.ask_code(cookie)), "invalid_grant")


async def test_a_code_is_bound_to_the_address_that_it_was_sent_to(portal: Application, cookie: str) -> None:
    code = await portal.ask_code(cookie)
    oauth_error(await portal.exchange(code, redirect_uri="http://127.0.0.1:4000/callback"), "invalid_grant")


async def test_a_replayed_code_ends_what_it_gave(portal: Application, cookie: str) -> None:
    code = await portal.ask_code(cookie)
    tokens = (await portal.exchange(code)).json()
    oauth_error(await portal.exchange(code), "invalid_grant")
    oauth_error(await portal.refresh(tokens["refresh_token"]), "invalid_grant")
    reply = await portal.post("/auth/introspect", {"token": tokens["access_token"]})
    assert reply.json() == {"active": False}


@pytest.mark.parametrize(
    "kind", ["token", "id_token", "id_token token", "code token", "code id_token", "none"]
)
async def test_no_token_is_ever_sent_through_the_browser(portal: Application, cookie: str, kind: str) -> None:
    """Section 2.1.2: there is no implicit grant."""
    reply = await portal.ask(cookie, response_type=kind)
    assert answer_of(reply)["error"] == "unsupported_response_type"
    assert "#" not in reply.headers["location"]


@pytest.mark.parametrize("mode", ["fragment", "query.jwt", "web_message"])
async def test_no_answer_is_sent_by_fragment_or_message(portal: Application, cookie: str, mode: str) -> None:
    """Section 4.17."""
    assert answer_of(await portal.ask(cookie, response_mode=mode))["error"] == "invalid_request"


# --- what browsers do (sections 4.2, 4.3, 4.7, 4.12 and 4.16)


def link(portal: Application, **more: str) -> str:
    return f"/auth/authorize?{urlencode(portal.request(**more))}"


async def is_signed_in(portal: Application, browser: httpx.AsyncClient) -> bool:
    reply = await browser.get(link(portal, prompt="none"))
    return "error=" not in reply.headers["location"]


async def test_no_page_is_framed_kept_or_named_to_others_and_no_password_is_posted_on(
    op: httpx.AsyncClient, ana: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    person = Person(_ISSUER, {"username": ana["email"], "password": PASSWORD})
    asking = await register(op, is_first_party=False)
    replies = [await browser.get(link(asking))]
    while isinstance(step := person.go_on(replies[-1]), dict):
        replies.append(await browser.request(**step))
    paths = [reply.url.path.removeprefix("/auth/") for reply in replies]
    assert paths == [
        "authorize", "sign-in", "sign-in", "continue", "consent", "consent", "continue",
    ]  # fmt: skip
    for reply in replies:
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "no-store" in reply.headers["cache-control"]
        assert reply.status_code in {200, 303}


async def open_sign_in(
    portal: Application, browser: httpx.AsyncClient, ana: dict[str, Any]
) -> tuple[httpx.URL, dict[str, str]]:
    """The page and its form, filled in."""
    page = await browser.get(link(portal), follow_redirects=True)
    person = Person(_ISSUER, {"username": ana["email"], "password": PASSWORD})
    return page.url, person.fill(find_forms(page.text)[0])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_a_form_that_another_site_sends_signs_nobody_in(
    portal: Application, browser: httpx.AsyncClient, ana: dict[str, Any], headers: dict[str, str]
) -> None:
    place, filled = await open_sign_in(portal, browser, ana)
    assert (await browser.post(place, data=filled, headers=headers)).status_code == 403
    assert not await is_signed_in(portal, browser)


async def test_a_form_without_the_token_of_its_own_browser_signs_nobody_in(
    op: httpx.AsyncClient, portal: Application, browser: httpx.AsyncClient, ana: dict[str, Any]
) -> None:
    """Nor to the attacker's account, which would learn what the victim does there."""
    place, filled = await open_sign_in(portal, browser, ana)
    without = {name: filled[name] for name in ("username", "password")}
    async with httpx.AsyncClient(transport=op._transport, base_url=_ISSUER) as elsewhere:
        for other, sent in (
            (elsewhere, filled),
            (browser, without),
            (browser, without | {"form_token": "x"}),
        ):
            assert (await other.post(place, data=sent)).status_code == 403
            assert not await is_signed_in(portal, other)


async def test_no_page_of_another_origin_may_read_the_authorization_endpoint(
    portal: Application, browser: httpx.AsyncClient
) -> None:
    """OAuth 2.1, section 3.1: no CORS there, though the origin may call the API."""
    header = "access-control-allow-origin"
    assert (await browser.get("/health/live", headers={"Origin": _ORIGIN})).headers[header] == _ORIGIN
    for place in (link(portal), "/auth/sign-in", "/auth/continue?flow=x", "/auth/end-session"):
        assert header not in (await browser.get(place, headers={"Origin": _ORIGIN})).headers, place


# --- tokens (sections 2.2, 2.3, 4.9, 4.10, 4.14 and 4.15)


async def test_a_token_in_the_address_is_not_taken(portal: Application, cookie: str) -> None:
    token = (await portal.get_tokens(cookie, scope="openid me"))["access_token"]
    for path in ("/users/me", "/auth/userinfo"):
        assert (await call(portal.http, "GET", path, params={"access_token": token})).status_code == 401


async def test_credentials_in_the_address_are_not_taken(portal: Application) -> None:
    named = {"client_id": portal.client.id, "client_secret": portal.secret}
    asked = {"grant_type": "client_credentials", "scope": "openid"}
    reply = await call(portal.http, "POST", "/auth/token", params=named | asked)
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_request"


async def test_a_token_has_no_more_than_was_asked_for_and_agreed_to(portal: Application, cookie: str) -> None:
    tokens = await portal.get_tokens(cookie)
    assert tokens["scope"] == "openid"
    assert (await call(portal.http, "GET", "/users/me", tokens["access_token"])).status_code == 403


async def test_an_id_token_is_no_access_token(portal: Application, cookie: str) -> None:
    token = (await portal.get_tokens(cookie, scope="openid me"))["id_token"]
    assert (await call(portal.http, "GET", "/users/me", token)).status_code == 401


async def test_no_client_can_be_named_like_a_user(op: httpx.AsyncClient, ana: dict[str, Any]) -> None:
    """Section 4.15: the `sub` of a client's own token would pass for the user."""
    with pytest.raises(InvalidError):
        await container_of(op).auth.clients.register(NewClient(name="Mallory"), client_id=ana["id"])
