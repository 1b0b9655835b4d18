"""The authorization endpoint: what is refused and where that is told, sign-in, consent, and the answer."""

import json
import re
from typing import Any

import httpx
import pytest

from app.core.errors import InvalidScopeError
from app.oauth.authorization import Flow, steps
from models.values import ALL_SCOPES
from tests.support.authorization import (
    CALLBACK,
    CHALLENGE,
    Application,
    age,
    answer_of,
    browse,
    container_of,
    page_of,
    register,
    sign_in_browser,
)
from tests.support.identity import member, parts
from tests.support.users import verify

UNMET = "unmet_authentication_requirements"


@pytest.fixture(scope="module")
async def portal(op: httpx.AsyncClient) -> Application:
    return await register(op)


@pytest.fixture
async def stranger(op: httpx.AsyncClient) -> Application:
    """A client of others, whose users are asked for their consent."""
    return await register(op, is_first_party=False)


@pytest.fixture
async def cookie(op: httpx.AsyncClient, user: dict[str, Any]) -> str:
    return await sign_in_browser(op, user)


async def flow_of(op: httpx.AsyncClient, reply: httpx.Response) -> Flow:
    """The flow that the page has got which the browser is sent to."""
    sealed = reply.headers["location"].partition("flow=")[2]
    return container_of(op).auth.authorization.open(sealed)


# --- what nobody is redirected for


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": "bad id"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example.com/callback"},
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": f"{CALLBACK}?x=1"},
        {"redirect_uri": f"{CALLBACK}#x"},
        {"redirect_uri": f"{CALLBACK}/../evil"},
        {"redirect_uri": f"{CALLBACK}%2f..%2fevil"},
        {"redirect_uri": "https://app.example.com@evil.example.com/callback"},
        {"redirect_uri": "https://app.example.com.evil.example.com/callback"},
        {"redirect_uri": "https://evil.app.example.com/callback"},
        {"redirect_uri": "https://APP.example.com/callback"},
        {"redirect_uri": "https://app.example.com:443/callback"},
        {"redirect_uri": "http://app.example.com/callback"},
        {"redirect_uri": "//app.example.com/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"state": "x" * 4_000},
        {"state": "é" * 700},
    ],
)
async def test_without_a_known_client_and_its_address_nobody_is_redirected(
    portal: Application, cookie: str, more: dict[str, str | None]
) -> None:
    reply = await portal.ask(cookie, **more)
    assert reply.status_code == 400, reply.text
    assert "location" not in reply.headers
    assert "evil" not in reply.text


async def test_a_parameter_that_occurs_twice_is_told_to_nobody(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    request = [*portal.request().items(), ("redirect_uri", "https://evil.example.com")]
    reply = await browse(op, "GET", "/auth/authorize", cookie, params=request)
    assert reply.status_code == 400
    assert "location" not in reply.headers


async def test_a_flow_that_is_forged_or_lost_is_an_error_page(op: httpx.AsyncClient, cookie: str) -> None:
    for query in ("", "?flow=", "?flow=abc", "?flow=" + "A" * 200):
        reply = await browse(op, "GET", f"/auth/continue{query}", cookie)
        assert reply.status_code == 400, reply.text


# --- what the client is told


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "query.jwt"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"scope": "unheard:of"}, "invalid_scope"),
        ({"scope": "me  users:read"}, "invalid_scope"),
        ({"scope": "users:admin"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "register"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "9" * 11}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"userinfo":[]}'}, "invalid_request"),
        ({"claims": '{"userinfo":{"name":1}}'}, "invalid_request"),
        ({"claims": '{"id_token":{"acr":{"essential":true,"value":"9"}}}'}, UNMET),
        ({"claims": '{"id_token":{"acr":{"essential":true,"values":["9"]}}}'}, UNMET),
    ],
)
async def test_what_is_wrong_is_told_to_the_client_with_state(
    portal: Application, cookie: str, more: dict[str, str | None], error: str
) -> None:
    answer = answer_of(await portal.ask(cookie, **more))
    assert (answer["error"], answer["state"]) == (error, "a state")
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", answer["error_description"])


async def test_a_client_without_the_code_flow_is_told_so(op: httpx.AsyncClient, cookie: str) -> None:
    service = await register(op, grant_types=frozenset({"client_credentials"}))
    assert answer_of(await service.ask(cookie))["error"] == "unauthorized_client"


async def test_a_client_without_openid_is_told_so(op: httpx.AsyncClient, cookie: str) -> None:
    app = await register(op, scopes=frozenset({"me"}))
    assert answer_of(await app.ask(cookie))["error"] == "invalid_scope"
    assert answer_of(await app.ask(cookie, scope="profile"))["error"] == "invalid_scope"
    assert "code" in answer_of(await app.ask(cookie, scope="me"))


async def test_two_users_in_one_request_are_an_error(portal: Application, cookie: str) -> None:
    hint = (await portal.get_tokens(cookie))["id_token"]
    claims = json.dumps({"id_token": {"sub": {"value": "0" * 24}}})
    assert (
        answer_of(await portal.ask(cookie, id_token_hint=hint, claims=claims))["error"] == "invalid_request"
    )


async def test_a_client_that_registered_itself_is_no_open_redirect(
    op: httpx.AsyncClient, cookie: str
) -> None:
    app = await register(op, is_first_party=False)
    await (
        container_of(op)
        .connections.database["clients"]
        .update_one({"_id": app.client.id}, {"$set": {"registration_token_hash": "0" * 64}})
    )
    reply = await app.ask(cookie, scope="unheard:of")
    assert reply.status_code == 400
    assert "location" not in reply.headers
    assert answer_of(await app.ask(cookie, prompt="none"))["error"] == "consent_required"


# --- what the answer is


async def test_the_answer_is_a_303_with_code_state_and_issuer(portal: Application, cookie: str) -> None:
    reply = await portal.ask(cookie, state="é&=#?")
    answer = answer_of(reply)
    assert set(answer) == {"code", "state"}
    assert answer["state"] == "é&=#?"
    assert "cross-origin-opener-policy" not in reply.headers  # which would part a popup from its opener
    assert "iss=http%3A%2F%2F" in reply.headers["location"]


async def test_without_a_state_none_is_answered(portal: Application, cookie: str) -> None:
    assert set(answer_of(await portal.ask(cookie, state=None))) == {"code"}


async def test_an_answer_may_be_a_form_that_posts_itself(portal: Application, cookie: str) -> None:
    reply = await portal.ask(cookie, response_mode="form_post", state='"><script>')
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert f'<form method="post" action="{CALLBACK}">' in reply.text
    assert 'name="state" value="&quot;&gt;&lt;script&gt;"' in reply.text
    assert 'name="iss" value="http' in reply.text
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "form-action" not in policy
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["referrer-policy"] == "no-referrer"
    code = re.search('name="code" value="([^"]+)"', reply.text)
    assert code is not None
    assert (await portal.exchange(code[1])).status_code == 200


async def test_a_refusal_may_be_such_a_form_too(portal: Application) -> None:
    reply = await portal.ask(prompt="none", response_mode="form_post")
    assert 'name="error" value="login_required"' in reply.text


# --- which user signs in


async def test_one_who_is_signed_out_signs_in_and_goes_on(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application
) -> None:
    reply = await portal.ask()
    assert page_of(reply) == "sign-in"
    query = reply.headers["location"].partition("?")[2]
    assert page_of(await browse(op, "GET", f"/auth/continue?{query}")) == "sign-in"
    cookie = await sign_in_browser(op, user)
    assert "code" in answer_of(await browse(op, "GET", f"/auth/continue?{query}", cookie))


async def test_a_form_of_another_site_comes_without_a_cookie_and_is_taken_on(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    for more in ({}, {"prompt": "none"}):
        reply = await browse(op, "POST", "/auth/authorize", data=portal.request(**more))
        assert page_of(reply) == "continue"
        query = reply.headers["location"].partition("?")[2]
        assert "code" in answer_of(await browse(op, "GET", f"/auth/continue?{query}", cookie))


async def test_a_max_age_of_0_asks_to_sign_in_again_once(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    await age(op, cookie, 0.005)
    reply = await portal.ask(cookie, max_age="0")
    assert page_of(reply) == "sign-in"
    assert (await flow_of(op, reply)).max_age == 0
    cookie = await sign_in_browser(op, user, cookie)
    query = reply.headers["location"].partition("?")[2]
    assert "code" in answer_of(await browse(op, "GET", f"/auth/continue?{query}", cookie))


async def test_without_a_page_a_sign_in_that_is_too_old_is_an_error(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    await age(op, cookie, 61)
    assert answer_of(await portal.ask(cookie, prompt="none", max_age="60"))["error"] == "login_required"


async def test_another_account_may_be_chosen(portal: Application, cookie: str) -> None:
    assert page_of(await portal.ask(cookie, prompt="select_account")) == "sign-in"


async def test_a_hint_of_another_user_asks_for_that_user(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    other = await member(op)
    hint = (await portal.get_tokens(await sign_in_browser(op, other)))["id_token"]
    assert answer_of(await portal.ask(cookie, prompt="none", id_token_hint=hint))["error"] == "login_required"
    reply = await portal.ask(cookie, id_token_hint=hint)
    assert page_of(reply) == "sign-in"
    query = reply.headers["location"].partition("?")[2]
    again = await sign_in_browser(op, await member(op))
    refused = await browse(op, "GET", f"/auth/continue?{query}", again)
    assert answer_of(refused)["error"] == "login_required"
    right = await sign_in_browser(op, other)
    assert "code" in answer_of(await browse(op, "GET", f"/auth/continue?{query}", right))


async def test_a_hint_that_is_no_id_token_of_ours_is_ignored(portal: Application, cookie: str) -> None:
    access_token = (await portal.get_tokens(cookie))["access_token"]
    for hint in ("x", "a.b.c", access_token):
        assert "code" in answer_of(await portal.ask(cookie, prompt="none", id_token_hint=hint))


async def test_a_user_who_is_asked_for_by_a_claim_is_the_only_one(
    portal: Application, user: dict[str, Any], cookie: str
) -> None:
    def asked(sub: str) -> str:
        return json.dumps({"id_token": {"sub": {"value": sub}}})

    assert "code" in answer_of(await portal.ask(cookie, prompt="none", claims=asked(user["id"])))
    answer = answer_of(await portal.ask(cookie, prompt="none", claims=asked("0" * 24)))
    assert answer["error"] == "login_required"


async def test_one_who_is_deactivated_on_the_way_gets_no_code(
    op: httpx.AsyncClient, portal: Application
) -> None:
    gone = await member(op)
    cookie = await sign_in_browser(op, gone)
    await op.patch(f"/users/{gone['id']}", json={"is_active": False})
    assert page_of(await portal.ask(cookie)) == "sign-in"
    assert answer_of(await portal.ask(cookie, prompt="none"))["error"] == "login_required"


# --- consent


async def consent(op: httpx.AsyncClient, reply: httpx.Response, cookie: str) -> httpx.Response:
    """What the page of consent does when the user agrees."""
    auth = container_of(op).auth
    browser = await auth.browsers.find(cookie)
    assert browser is not None
    redirect = await steps.consent(auth, await flow_of(op, reply), browser)
    return await browse(op, "GET", f"/auth/{redirect.location}", cookie)


async def test_a_client_of_others_asks_once(
    op: httpx.AsyncClient, stranger: Application, cookie: str
) -> None:
    assert answer_of(await stranger.ask(cookie, prompt="none"))["error"] == "consent_required"
    reply = await stranger.ask(cookie, scope="openid email")
    assert page_of(reply) == "consent"
    assert "code" in answer_of(await consent(op, reply, cookie))
    assert "code" in answer_of(await stranger.ask(cookie, prompt="none", scope="email openid"))
    assert "code" in answer_of(await stranger.ask(cookie, scope="openid"))
    assert page_of(await stranger.ask(cookie, scope="openid phone")) == "consent"


@pytest.mark.parametrize("first_party", [True, False])
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:49152/cb",
        "http://[::1]:49152/cb",
        "http://localhost:49152/cb",
        "com.example.app:/cb",
    ],
)
async def test_an_app_that_another_program_could_pass_for_asks_each_time(
    op: httpx.AsyncClient, cookie: str, uri: str, *, first_party: bool
) -> None:
    registered = (uri.replace(":49152", ""),)  # on the user's machine it has any port
    app = await register(op, auth_method="none", is_first_party=first_party, redirect_uris=registered)
    for _ in range(2):
        answer = answer_of(await app.ask(cookie, redirect_uri=uri, prompt="none"), uri)
        assert answer["error"] == "consent_required"
        reply = await app.ask(cookie, redirect_uri=uri)
        assert page_of(reply) == "consent"
        code = answer_of(await consent(op, reply, cookie), uri)["code"]
        assert "id_token" in (await app.exchange(code, redirect_uri=uri)).json()


@pytest.mark.parametrize(
    ("auth_method", "uri"), [("client_secret_basic", "http://127.0.0.1/cb"), ("none", CALLBACK)]
)
async def test_an_app_whose_secret_or_address_proves_it_asks_once(
    op: httpx.AsyncClient, cookie: str, auth_method: str, uri: str
) -> None:
    app = await register(op, auth_method=auth_method, is_first_party=False, redirect_uris=(uri,))
    reply = await app.ask(cookie, redirect_uri=uri)
    assert page_of(reply) == "consent"
    assert "code" in answer_of(await consent(op, reply, cookie), uri)
    assert "code" in answer_of(await app.ask(cookie, redirect_uri=uri, prompt="none"), uri)


async def test_our_own_documentation_asks_nothing_but_a_program_that_passes_for_it_does(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    ours = f"{container_of(op).settings.issuer_url}/docs/oauth2-redirect"
    asked = {"client_id": "roster", "scope": "me"}
    assert "code" in answer_of(await portal.ask(cookie, **asked, redirect_uri=ours), ours)
    theirs = ours.replace(":8000", ":49152")
    assert page_of(await portal.ask(cookie, **asked, redirect_uri=theirs)) == "consent"


@pytest.mark.parametrize("first_party", [True, False])
async def test_consent_may_be_asked_for_again(
    op: httpx.AsyncClient, cookie: str, *, first_party: bool
) -> None:
    app = await register(op, is_first_party=first_party)
    for _ in range(2):
        reply = await app.ask(cookie, prompt="consent")
        assert page_of(reply) == "consent"
        assert "code" in answer_of(await consent(op, reply, cookie))


async def test_the_consent_of_one_user_is_not_anothers(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    reply = await portal.ask(cookie, prompt="consent")
    auth = container_of(op).auth
    browser = await auth.browsers.find(cookie)
    assert browser is not None
    redirect = await steps.consent(auth, await flow_of(op, reply), browser)
    other = await sign_in_browser(op, await member(op))
    assert page_of(await browse(op, "GET", f"/auth/{redirect.location}", other)) == "consent"


async def test_the_page_of_consent_asks_for_what_the_client_would_get(
    op: httpx.AsyncClient, cookie: str
) -> None:
    app = await register(
        op, is_first_party=False, scopes=frozenset({"openid", "me", "users:read", "users:admin"})
    )
    auth = container_of(op).auth
    browser = await auth.browsers.find(cookie)
    assert browser is not None
    for scope, asked in (
        ("openid me users:read users:admin email", {"openid", "me", "users:read"}),
        (None, {"me", "users:read"}),
    ):
        flow = await flow_of(op, await app.ask(cookie, scope=scope))
        assert await steps.asked_of(auth, flow, browser) == asked
    with pytest.raises(InvalidScopeError):
        await steps.asked_of(auth, await flow_of(op, await app.ask(scope="users:admin")), browser)


async def test_a_user_who_refuses_is_told_to_the_client(
    op: httpx.AsyncClient, stranger: Application, cookie: str
) -> None:
    flow = await flow_of(op, await stranger.ask(cookie))
    redirect = container_of(op).auth.authorization.deny(flow)
    assert redirect.uri == CALLBACK
    assert redirect.parameters["error"] == "access_denied"


async def test_offline_access_is_granted_where_there_are_refresh_tokens(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    tokens = await portal.get_tokens(cookie, scope="openid offline_access")
    assert tokens["scope"] == "offline_access openid"
    once = await register(op, grant_types=frozenset({"authorization_code"}))
    tokens = await once.get_tokens(cookie, scope="openid offline_access")
    assert tokens["scope"] == "openid"
    assert "refresh_token" not in tokens


async def test_without_a_scope_all_rights_are_granted_that_user_and_client_may_have(
    portal: Application, cookie: str
) -> None:
    tokens = await portal.get_tokens(cookie, scope=None)
    assert tokens["scope"] == "me users:read"
    assert "id_token" not in tokens


async def test_claims_are_in_the_id_token_that_are_asked_for_there(
    portal: Application, user: dict[str, Any], cookie: str
) -> None:
    claims = json.dumps(
        {"id_token": {"email": None, "email_verified": {"essential": True}, "unheard_of": None}}
    )
    tokens = await portal.get_tokens(cookie, claims=claims)
    told = parts(tokens["id_token"])[1]
    assert (told["email"], told["email_verified"]) == (user["email"], False)
    assert "name" not in told
    assert tokens["scope"] == "email openid"


async def test_a_verified_address_is_told_as_such(
    op: httpx.AsyncClient, portal: Application, cookie: str, user: dict[str, Any]
) -> None:
    assert await verify(op, user)
    claims = json.dumps({"id_token": {"email_verified": None}})
    tokens = await portal.get_tokens(cookie, claims=claims, scope="openid email")
    assert parts(tokens["id_token"])[1]["email_verified"] is True
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await op.get("/auth/userinfo", headers=headers)).json()["email_verified"] is True
    await op.patch(f"/users/{user['id']}", json={"email": user["email"].upper()})
    assert (await op.get("/auth/userinfo", headers=headers)).json()["email_verified"] is False
    await op.patch(f"/users/{user['id']}", json={"email": user["email"]})


async def test_claims_give_a_client_no_more_than_it_is_registered_for(
    op: httpx.AsyncClient, cookie: str
) -> None:
    app = await register(op, scopes=frozenset({"openid"}))
    claims = json.dumps({"id_token": {"email": None}, "userinfo": {"name": None}})
    tokens = await app.get_tokens(cookie, claims=claims)
    assert tokens["scope"] == "openid"
    assert "email" not in parts(tokens["id_token"])[1]


async def test_claims_say_nothing_without_openid(portal: Application, cookie: str) -> None:
    claims = json.dumps({"userinfo": {"email": None}})
    assert (await portal.get_tokens(cookie, scope="me", claims=claims))["scope"] == "me"


# --- a client that changes or goes on the way


async def test_a_client_that_is_removed_on_the_way_gets_nothing(op: httpx.AsyncClient, cookie: str) -> None:
    app = await register(op)
    code, reply = await app.ask_code(cookie), await app.ask()
    query = reply.headers["location"].partition("?")[2]
    await container_of(op).auth.clients.remove(app.client.id)
    gone = await browse(op, "GET", f"/auth/continue?{query}", cookie)
    assert gone.status_code == 400
    assert (await app.exchange(code)).status_code == 401


async def test_an_address_that_is_taken_back_on_the_way_gets_nothing(
    op: httpx.AsyncClient, cookie: str
) -> None:
    app = await register(op)
    query = (await app.ask()).headers["location"].partition("?")[2]
    await container_of(op).auth.clients.change(
        app.client.id, {"redirect_uris": ("https://new.example.com/cb",)}
    )
    reply = await browse(op, "GET", f"/auth/continue?{query}", cookie)
    assert reply.status_code == 400
    assert "location" not in reply.headers


# --- pushed requests


async def push(app: Application, **more: str | None) -> httpx.Response:
    form = {name: value for name, value in app.request(**more).items() if name != "client_id"}
    return await app.post("/auth/par", form)


async def test_a_request_may_be_pushed_and_loaded_again_until_it_is_answered(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    reply = await push(portal)
    assert reply.status_code == 201, reply.text
    assert reply.headers["cache-control"] == "no-store"
    pushed = reply.json()
    assert pushed["expires_in"] == 90
    named = {"client_id": portal.client.id, "request_uri": pushed["request_uri"]}

    async def load(cookie: str | None = None, **more: str) -> httpx.Response:
        return await browse(op, "GET", "/auth/authorize", cookie, params=named | more)

    assert page_of(await load()) == "sign-in"
    other = await load(cookie, state="of another", redirect_uri="https://evil.example.com")
    answer = answer_of(other)
    assert answer["state"] == "a state"
    assert (await portal.exchange(answer["code"])).status_code == 200
    assert (await load(cookie)).status_code == 400


async def test_a_pushed_request_is_answered_once_however_often_it_is_on_the_way(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    uri = (await push(portal)).json()["request_uri"]
    named = {"client_id": portal.client.id, "request_uri": uri}
    ways = [await browse(op, "GET", "/auth/authorize", params=named) for _ in range(2)]
    queries = [way.headers["location"].partition("?")[2] for way in ways]
    first, second = [await browse(op, "GET", f"/auth/continue?{query}", cookie) for query in queries]
    assert "code" in answer_of(first)
    assert second.status_code == 400


async def test_a_pushed_request_is_its_own_clients(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    uri = (await push(portal)).json()["request_uri"]
    other = await register(op)
    named = {"client_id": other.client.id, "request_uri": uri}
    assert (await browse(op, "GET", "/auth/authorize", cookie, params=named)).status_code == 400


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"redirect_uri": "https://evil.example.com"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "unheard:of"}, "invalid_scope"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    ],
)
async def test_what_is_wrong_with_a_pushed_request_is_told_at_once(
    portal: Application, more: dict[str, str | None], error: str
) -> None:
    reply = await push(portal, **more)
    assert (reply.status_code, reply.json()["error"]) == (400, error)


async def test_a_client_must_prove_itself_to_push(op: httpx.AsyncClient, portal: Application) -> None:
    forged = Application(op, portal.client, "x" * 43)
    reply = await push(forged)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


async def test_a_client_may_have_to_push(op: httpx.AsyncClient, cookie: str) -> None:
    app = await register(op, requires_par=True)
    assert answer_of(await app.ask(cookie))["error"] == "invalid_request"
    named = {"client_id": app.client.id, "request_uri": (await push(app)).json()["request_uri"]}
    assert "code" in answer_of(await browse(op, "GET", "/auth/authorize", cookie, params=named))


async def test_every_scope_is_known(op: httpx.AsyncClient) -> None:
    metadata = (await op.get("/.well-known/openid-configuration")).json()
    assert set(ALL_SCOPES) < set(metadata["scopes_supported"])
