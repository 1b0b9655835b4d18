"""What each module of the OpenID conformance suite's Basic and Config OP plans asks, asked of Roster.

A docstring names the modules and the result; docs/openid-conformance.md is written from them. The suite asks
without PKCE, which Roster never answers with a code: here each request has it.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from tests.support.api import serving
from tests.support.authorization import (
    CALLBACK,
    Application,
    age,
    answer_of,
    browse,
    container_of,
    page_of,
    register,
    sign_in_browser,
)
from tests.support.identity import call, decoded, member, oauth_error, parts, post_form
from tests.support.servers import MongoServer, RedisServer
from tests.support.users import database, problem

PROFILE = {"bio": "Likes herons", "addresses": [{"street": "Ring 1", "city": "Wien", "zipcode": "1010"}]}
SCOPES = {
    "profile": {"name", "preferred_username", "picture", "locale", "updated_at"},
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}
ALL = "openid profile email address phone"


@pytest.fixture(scope="module")
async def op(mongo_server: MongoServer, redis_server: RedisServer) -> AsyncIterator[httpx.AsyncClient]:
    """A new directory with RS256, which the plans ask for; others have ES256 (ADR 23)."""
    uri = mongo_server.uri_of("t_conformance")
    async with serving(uri, redis_server.url, token_algorithm="RS256") as http:
        yield http
        await database(http).client.drop_database("t_conformance")


@pytest.fixture(scope="module")
async def user(op: httpx.AsyncClient) -> dict[str, Any]:
    return await member(
        op,
        name="Zoë",
        username="zoe",
        phone="+43 1 5131513",
        locale="de_AT",
        avatar_url="https://img.example.com/z.png",
        profile=PROFILE,
    )


@pytest.fixture(scope="module")
async def portal(op: httpx.AsyncClient) -> Application:
    return await register(op)


@pytest.fixture
async def cookie(op: httpx.AsyncClient, user: dict[str, Any]) -> str:
    """Of a browser in which the user has signed in."""
    return await sign_in_browser(op, user)


async def userinfo(op: httpx.AsyncClient, tokens: Mapping[str, Any]) -> dict[str, Any]:
    reply = await call(op, "GET", "/auth/userinfo", tokens["access_token"])
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


# --- the flow


async def test_a_code_becomes_an_id_token_and_an_access_token(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-server`: passes."""
    tokens = await portal.get_tokens(cookie, nonce="n-0S6_WzA2Mj")
    header, claims = parts(tokens["id_token"])
    assert header["typ"] == "JWT"
    issuer = container_of(op).settings.issuer_url
    assert (claims["iss"], claims["sub"], claims["nonce"]) == (issuer, user["id"], "n-0S6_WzA2Mj")
    assert (claims["aud"], claims["azp"]) == (portal.client.id, portal.client.id)
    assert claims["exp"] - claims["iat"] == 600
    assert claims["auth_time"] <= claims["iat"]
    assert (claims["acr"], claims["amr"]) == ("1", ["pwd"])
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert decoded(claims["at_hash"]) == half
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"}
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "openid")
    assert await userinfo(op, tokens) == {"sub": user["id"]}


async def test_a_client_may_authenticate_in_the_form(op: httpx.AsyncClient, cookie: str) -> None:
    """`oidcc-server-client-secret-post`: passes."""
    app = await register(op, auth_method="client_secret_post")
    form = {
        "grant_type": "authorization_code",
        "code": await app.ask_code(cookie),
        "redirect_uri": CALLBACK,
        "code_verifier": "a-verifier-of-the-tests-that-has-enough-characters",
        "client_id": app.client.id,
        "client_secret": app.secret,
    }
    reply = await post_form(op, "/auth/token", form)
    assert reply.status_code == 200, reply.text


async def test_a_request_without_a_response_type_is_refused(portal: Application, cookie: str) -> None:
    """`oidcc-response-type-missing`: passes."""
    answer = answer_of(await portal.ask(cookie, response_type=None))
    assert (answer["error"], answer["state"]) == ("invalid_request", "a state")


async def test_the_id_token_is_signed_by_a_published_key(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-idtoken-signature`: passes."""
    token = (await portal.get_tokens(cookie))["id_token"]
    keys = KeySet.import_key_set((await op.get("/.well-known/jwks.json")).json())
    verified = jws.deserialize_compact(token, keys, algorithms=["RS256"])
    assert verified.headers()["kid"] in {key.kid for key in keys}


async def test_no_id_token_is_unsigned(op: httpx.AsyncClient) -> None:
    """`oidcc-idtoken-unsigned`: skipped by the suite, as `none` is not offered."""
    metadata = (await op.get("/.well-known/openid-configuration")).json()
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256"]


async def test_the_order_of_scopes_and_parameters_does_not_matter(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-alternate-happy-flow`, `oidcc-ensure-other-scope-order-succeeds`: passes."""
    request = dict(reversed(portal.request(scope="email openid").items()))
    code = answer_of(await browse(op, "GET", "/auth/authorize", cookie, params=request))["code"]
    tokens = (await portal.exchange(code)).json()
    assert SCOPES["email"] <= (await userinfo(op, tokens)).keys()


async def test_a_request_may_be_a_form(op: httpx.AsyncClient, portal: Application, cookie: str) -> None:
    """`oidcc-ensure-post-request-succeeds`: passes."""
    reply = await browse(op, "POST", "/auth/authorize", cookie, data=portal.request())
    assert "code" in answer_of(reply)


async def test_a_nonce_is_not_needed(portal: Application, cookie: str) -> None:
    """`oidcc-ensure-request-without-nonce-succeeds-for-code-flow`: passes."""
    tokens = await portal.get_tokens(cookie, nonce=None)
    assert "nonce" not in parts(tokens["id_token"])[1]


async def test_a_request_with_pkce_succeeds(portal: Application, cookie: str) -> None:
    """`oidcc-ensure-request-with-valid-pkce-succeeds`: passes."""
    reply = await portal.exchange(await portal.ask_code(cookie))
    assert reply.status_code == 200, reply.text


async def test_a_request_without_pkce_is_refused(portal: Application, cookie: str) -> None:
    answer = answer_of(await portal.ask(cookie, code_challenge=None, code_challenge_method=None))
    assert answer["error"] == "invalid_request"


async def test_unknown_parameters_are_ignored(portal: Application, cookie: str) -> None:
    """`oidcc-ensure-request-with-unknown-parameter-succeeds`: passes."""
    assert "code" in answer_of(await portal.ask(cookie, extra="foobar"))


async def test_a_wished_acr_is_told_or_not(portal: Application, cookie: str) -> None:
    """`oidcc-ensure-request-with-acr-values-succeeds`: passes."""
    tokens = await portal.get_tokens(cookie, acr_values="1 2")
    assert parts(tokens["id_token"])[1]["acr"] == "1"


async def test_an_address_that_is_not_registered_gets_no_answer(portal: Application, cookie: str) -> None:
    """`oidcc-ensure-registered-redirect-uri`: passes, with an error page."""
    reply = await portal.ask(cookie, redirect_uri="https://evil.example.com/callback")
    assert reply.status_code == 400
    assert "location" not in reply.headers


# --- codes and refresh tokens


async def test_a_code_used_twice_is_refused_and_ends_what_it_gave(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-codereuse`, `oidcc-codereuse-30seconds`: passes; the access token is void at once."""
    code = await portal.ask_code(cookie)
    tokens = (await portal.exchange(code)).json()
    oauth_error(await portal.exchange(code), "invalid_grant")
    reply = await call(op, "GET", "/auth/userinfo", tokens["access_token"])
    problem(reply, 401, "session_revoked")
    oauth_error(await portal.refresh(tokens["refresh_token"]), "invalid_grant")


async def test_a_refresh_token_gets_new_tokens(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-refresh-token`: passes; the new ID token is for the same user and client, without nonce."""
    first = await portal.get_tokens(cookie, scope="openid offline_access", prompt=None)
    reply = await portal.refresh(first["refresh_token"])
    assert reply.status_code == 200, reply.text
    tokens = reply.json()
    before, after = (parts(each["id_token"])[1] for each in (first, tokens))
    assert {name: after[name] for name in ("iss", "sub", "aud", "azp", "sid")} == {
        name: before[name] for name in ("iss", "sub", "aud", "azp", "sid")
    }
    assert after["iat"] >= before["iat"]
    assert after["auth_time"] == before["auth_time"]
    assert "nonce" not in after
    other = await register(op)
    oauth_error(await other.refresh(tokens["refresh_token"]), "invalid_grant")
    assert (await userinfo(op, tokens))["sub"] == user["id"]


# --- claims


@pytest.mark.parametrize("scope", list(SCOPES))
async def test_a_scope_tells_its_claims(
    op: httpx.AsyncClient, portal: Application, cookie: str, scope: str
) -> None:
    """`oidcc-scope-profile`, `oidcc-scope-email`, `oidcc-scope-address`, `oidcc-scope-phone`: passes."""
    tokens = await portal.get_tokens(cookie, scope=f"openid {scope}")
    assert (await userinfo(op, tokens)).keys() == {"sub"} | SCOPES[scope]


async def test_all_scopes_tell_all_claims(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-scope-all`: passes."""
    claims = await userinfo(op, await portal.get_tokens(cookie, scope=ALL))
    assert isinstance(claims.pop("updated_at"), int)
    assert claims == {
        "sub": user["id"],
        "name": "Zoë",
        "preferred_username": "zoe",
        "picture": "https://img.example.com/z.png",
        "locale": "de-AT",
        "email": user["email"],
        "email_verified": False,
        "phone_number": "+4315131513",
        "phone_number_verified": False,
        "address": {
            "street_address": "Ring 1",
            "locality": "Wien",
            "postal_code": "1010",
            "formatted": "Ring 1\nWien\n1010",
        },
    }


async def test_userinfo_takes_a_token_in_the_header_of_get_and_post_and_in_a_form(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-userinfo-get`, `oidcc-userinfo-post-header`, `oidcc-userinfo-post-body`: passes."""
    token = (await portal.get_tokens(cookie))["access_token"]
    by_get = await call(op, "GET", "/auth/userinfo", token)
    by_post = await call(op, "POST", "/auth/userinfo", token)
    by_form = await post_form(op, "/auth/userinfo", {"access_token": token})
    for reply in (by_get, by_post, by_form):
        assert (reply.status_code, reply.json()) == (200, {"sub": user["id"]}), reply.text


async def test_an_essential_claim_is_told(op: httpx.AsyncClient, portal: Application, cookie: str) -> None:
    """`oidcc-claims-essential`: passes."""
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})
    assert (await userinfo(op, await portal.get_tokens(cookie, claims=claims)))["name"] == "Zoë"


async def test_a_language_of_claims_is_no_error(portal: Application, cookie: str) -> None:
    """`oidcc-claims-locales`: passes; a name has one form."""
    assert "id_token" in await portal.get_tokens(cookie, claims_locales="se", scope="openid profile")


# --- what the user is shown


@pytest.mark.parametrize("wish", [{"display": "page"}, {"display": "popup"}, {"ui_locales": "se en"}])
async def test_a_wish_about_the_pages_is_no_error(
    portal: Application, cookie: str, wish: dict[str, str]
) -> None:
    """`oidcc-display-page`, `oidcc-display-popup`, `oidcc-ui-locales`: passes."""
    assert page_of(await portal.ask(**wish)) == "sign-in"
    assert "code" in answer_of(await portal.ask(cookie, **wish))


async def test_a_hint_of_the_name_goes_to_the_page(op: httpx.AsyncClient, portal: Application) -> None:
    """`oidcc-login-hint`: passes; the page of sign-in has the name typed."""
    reply = await portal.ask(login_hint="zoe")
    sealed = reply.headers["location"].partition("flow=")[2]
    assert container_of(op).auth.authorization.open(sealed).login_hint == "zoe"


async def test_without_a_page_one_who_is_signed_in_gets_a_code(
    user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-prompt-none-logged-in`: passes."""
    first, again = [await portal.get_tokens(cookie, **more) for more in ({}, {"prompt": "none"})]
    told = [parts(tokens["id_token"])[1] for tokens in (first, again)]
    assert [claims["sub"] for claims in told] == [user["id"]] * 2
    assert told[0]["auth_time"] == told[1]["auth_time"]


async def test_without_a_page_one_who_is_not_signed_in_gets_an_error(portal: Application) -> None:
    """`oidcc-prompt-none-not-logged-in`: passes."""
    assert answer_of(await portal.ask(prompt="none"))["error"] == "login_required"


async def test_a_hint_of_the_user_lets_them_in_without_a_page(
    user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-id-token-hint`: passes."""
    hint = (await portal.get_tokens(cookie))["id_token"]
    tokens = await portal.get_tokens(cookie, prompt="none", id_token_hint=hint)
    assert parts(tokens["id_token"])[1]["sub"] == user["id"]


async def test_a_user_who_is_signed_in_may_be_asked_to_sign_in_again(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-prompt-login`: passes."""
    reply = await portal.ask(cookie, prompt="login")
    assert page_of(reply) == "sign-in"
    flow = reply.headers["location"].partition("?")[2]
    again = await browse(op, "GET", f"/auth/continue?{flow}", cookie)
    assert page_of(again) == "sign-in"
    cookie = await sign_in_browser(op, user, cookie)
    assert "code" in answer_of(await browse(op, "GET", f"/auth/continue?{flow}", cookie))


async def test_a_sign_in_that_is_too_old_is_asked_for_again(
    op: httpx.AsyncClient, user: dict[str, Any], portal: Application, cookie: str
) -> None:
    """`oidcc-max-age-1`: passes; the ID token tells the time of the new sign-in."""
    await age(op, cookie, 2)
    before = parts((await portal.get_tokens(cookie))["id_token"])[1]
    reply = await portal.ask(cookie, max_age="1")
    assert page_of(reply) == "sign-in"
    cookie = await sign_in_browser(op, user, cookie)
    flow = reply.headers["location"].partition("?")[2]
    code = answer_of(await browse(op, "GET", f"/auth/continue?{flow}", cookie))["code"]
    after = parts((await portal.exchange(code)).json()["id_token"])[1]
    assert after["auth_time"] > before["auth_time"]


async def test_a_sign_in_that_is_recent_enough_is_not_asked_for_again(
    op: httpx.AsyncClient, portal: Application, cookie: str
) -> None:
    """`oidcc-max-age-10000`: passes."""
    await age(op, cookie, 100)
    tokens = await portal.get_tokens(cookie, max_age="10000")
    claims = parts(tokens["id_token"])[1]
    assert 100 <= claims["iat"] - claims["auth_time"] < 10_000


# --- requests as JWTs


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://app.example.com/request.jwt", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
    ],
)
async def test_a_request_as_a_jwt_is_refused(
    portal: Application, cookie: str, name: str, value: str, error: str
) -> None:
    """`oidcc-ensure-request-object-with-redirect-uri`: passes, as not supported.

    `oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported`
    `oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported`
    """
    assert answer_of(await portal.ask(cookie, **{name: value}))["error"] == error


# --- the Config OP plan


async def test_the_metadata_tell_all_endpoints_and_what_they_do(op: httpx.AsyncClient) -> None:
    """`oidcc-discovery-endpoint-verification`: passes where ROSTER_TOKEN_ALGORITHM is RS256."""
    reply = await op.get("/.well-known/openid-configuration")
    assert reply.status_code == 200
    told = reply.json()
    issuer = container_of(op).settings.issuer_url
    endpoints = {name: value for name, value in told.items() if name.endswith(("_endpoint", "_uri"))}
    assert all(value.startswith(f"{issuer}/") for value in endpoints.values())
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} <= endpoints.keys()
    assert told["issuer"] == issuer
    assert told["response_types_supported"] == ["code"]
    assert told["subject_types_supported"] == ["public"]
    assert told["id_token_signing_alg_values_supported"] == ["RS256"]
    assert {"openid", "profile", "email", "address", "phone"} <= set(told["scopes_supported"])
    assert {"sub", "name", "email", "email_verified"} <= set(told["claims_supported"])
    assert told["claims_parameter_supported"] is True
    assert told["request_parameter_supported"] is False
    assert told["request_uri_parameter_supported"] is False
    assert told == (await op.get("/.well-known/oauth-authorization-server")).json()
