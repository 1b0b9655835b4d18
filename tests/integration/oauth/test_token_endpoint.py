"""POST /auth/token as its clients meet it: both grants, the clients, and every error of RFC 6749."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from models.values import ALL_SCOPES, IDENTITY_SCOPES
from tests.support.api import serving
from tests.support.applying import resources
from tests.support.databases import PreparedDatabases
from tests.support.identity import (
    PASSWORD,
    WRONG_PASSWORD,
    ask_refresh,
    ask_token,
    basic,
    call,
    decoded,
    member,
    oauth_error,
    parts,
    post_form,
    register_client,
    sign_in,
)
from tests.support.users import problem

WRONG = "The name or the password is wrong."


@pytest.fixture(scope="module")
async def shared(prepared_databases: PreparedDatabases) -> AsyncIterator[httpx.AsyncClient]:
    """Who fails here need not wait."""
    free = {"tries_per_account": 100_000, "tries_per_address": 100_000}
    async with prepared_databases.serving(**free) as opened:
        yield opened


@pytest.fixture(scope="module")
async def zoe(shared: httpx.AsyncClient) -> dict[str, Any]:
    names = {"email": "Zoë.Müller@Bücher.example", "username": "Zoë_M", "phone": "+86 138 0013 8000"}
    return await member(shared, **names)


@pytest.fixture(scope="module")
async def known(shared: httpx.AsyncClient) -> dict[str, Any]:
    return await member(shared, email="known@example.com", username="known")


# --- the password grant


@pytest.mark.parametrize(
    "typed",
    [
        "Zoë.Müller@Bücher.example",
        "zoë.müller@bücher.example",
        "ZOË.MÜLLER@xn--bcher-kva.EXAMPLE",
        "Ｚｏë.Ｍüller@Bücher.example",
        "Zoe\u0308.Mu\u0308ller@Bu\u0308cher.example",
        "  zoë.müller@bücher.example\t",
        "Zoë_M",
        "ZOË_M",
        "ｚｏë_ｍ",
        "+8613800138000",
        "+86 138-0013 (8000)",
        "＋８６ １３８ ００１３ ８０００",
    ],
)
async def test_one_signs_in_by_email_username_or_phone_however_typed(
    shared: httpx.AsyncClient, zoe: dict[str, Any], typed: str
) -> None:
    reply = await ask_token(shared, typed)
    assert reply.status_code == 200, reply.text
    assert parts(reply.json()["access_token"])[1]["sub"] == zoe["id"]


async def test_a_sign_in_answers_as_rfc_6749_has_it(shared: httpx.AsyncClient) -> None:
    user = await member(shared, "me", "users:read")
    reply = await ask_token(shared, user["email"])
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    tokens = reply.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
    assert tokens["scope"] == "me users:read"


@pytest.mark.parametrize(
    ("granted", "asked", "given"),
    [
        (["me", "users:read"], "users:read", "users:read"),
        (["me"], "me users:admin", "me"),
        (["users:read", "me"], "users:read me", "me users:read"),
        (["me"], "me me", "me"),
        (["me", "users:read"], "", "me users:read"),
        (list(ALL_SCOPES), None, " ".join(sorted(ALL_SCOPES))),
    ],
)
async def test_a_token_carries_what_was_asked_for_among_what_is_granted(
    shared: httpx.AsyncClient, granted: list[str], asked: str | None, given: str
) -> None:
    user = await member(shared, *granted)
    tokens = await sign_in(shared, user, **({} if asked is None else {"scope": asked}))
    assert tokens["scope"] == given
    assert parts(tokens["access_token"])[1]["scope"] == given


@pytest.mark.parametrize(
    "scope",
    ["users:everything", "me  users:read", " me", "me ", "me\tusers:read", 'me"', "ME", "users:admin"],
)
async def test_a_scope_that_is_unknown_malformed_or_not_granted_is_refused(
    shared: httpx.AsyncClient, scope: str
) -> None:
    user = await member(shared, "me")
    oauth_error(await ask_token(shared, user["email"], scope=scope), "invalid_scope")


async def test_a_user_without_any_scope_gets_no_token(shared: httpx.AsyncClient) -> None:
    user = await member(shared)
    await shared.patch(f"/users/{user['id']}", json={"scopes": []})
    oauth_error(await ask_token(shared, user["email"]), "invalid_scope")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("nobody@example.com", PASSWORD),
        ("nobody", PASSWORD),
        ("+4915112345678", PASSWORD),
        ("@", PASSWORD),
        ("+", PASSWORD),
        ("a@b@c", PASSWORD),
        ("x@" + "a." * 200, PASSWORD),
        ("known@example.com", WRONG_PASSWORD),
        ("known@example.com", PASSWORD.upper()),
        ("known@example.com", PASSWORD + " "),
        ("known@example.com", PASSWORD * 100),
        ("known@example.com", "x"),
        ("kno\u200bwn@example.com", PASSWORD),
        ("kno\u200bwn", PASSWORD),
    ],
)
@pytest.mark.usefixtures("known")
async def test_a_wrong_name_and_a_wrong_password_are_told_alike(
    shared: httpx.AsyncClient, name: str, password: str
) -> None:
    assert oauth_error(await ask_token(shared, name, password), "invalid_grant") == WRONG


async def test_a_user_without_a_password_and_one_deactivated_are_told_alike(
    shared: httpx.AsyncClient,
) -> None:
    bare = (await shared.post("/users", json={"name": "Bare", "email": "bare@example.com"})).json()
    gone = await member(shared)
    await shared.patch(f"/users/{gone['id']}", json={"is_active": False})
    for user in (bare, gone):
        assert oauth_error(await ask_token(shared, user["email"]), "invalid_grant") == WRONG


@pytest.mark.parametrize(
    "letters",
    ["\ufdfa", "\u0315\u0300", "한", "１"],
    ids=["ligature of 18 letters", "marks out of order", "hangul", "wide digit"],
)
@pytest.mark.parametrize("before", ["", "x@", "+"], ids=["username", "email", "phone"])
async def test_a_name_of_a_megabyte_is_nobodys_and_costs_nothing(
    shared: httpx.AsyncClient, before: str, letters: str
) -> None:
    async def spend(name: bytes) -> float:
        started = time.process_time()
        form = b"grant_type=password&password=x&username=" + name.replace(b"+", b"%2B")
        reply = await post_form(shared, "/auth/token", form)
        assert oauth_error(reply, "invalid_grant") == WRONG
        return time.process_time() - started

    plain = await spend((before + "x" * 900_000).encode())
    # The form itself is a megabyte to read; working on the name would take a hundred times as long.
    assert await spend((before + letters * (900_000 // len(letters.encode()))).encode()) < 5 * plain


# --- the refresh grant


async def test_a_refresh_token_is_good_once_and_may_narrow_but_not_widen(shared: httpx.AsyncClient) -> None:
    user = await member(shared, "me", "users:read", "users:export")
    first = await sign_in(shared, user, scope="me users:read")
    narrowed = await ask_refresh(shared, first["refresh_token"], scope="me")
    assert narrowed.status_code == 200, narrowed.text
    assert narrowed.headers["cache-control"] == "no-store"
    second = narrowed.json()
    assert second["scope"] == "me"
    assert second["refresh_token"] != first["refresh_token"]
    oauth_error(await ask_refresh(shared, second["refresh_token"], scope="me users:export"), "invalid_scope")
    third = (await ask_refresh(shared, second["refresh_token"])).json()
    assert third["scope"] == "me users:read"
    assert (await call(shared, "GET", "/users", third["access_token"])).status_code == 200


@pytest.mark.parametrize("kind", ["access token", "garbage", "torn", "another session's mac"])
async def test_what_is_no_refresh_token_is_an_invalid_grant(shared: httpx.AsyncClient, kind: str) -> None:
    user = await member(shared)
    one, other = await sign_in(shared, user), await sign_in(shared, user)
    sid, number, _ = one["refresh_token"].split(".")
    token = {
        "access token": one["access_token"],
        "garbage": "é" * 9000,
        "torn": one["refresh_token"][:-1],
        "another session's mac": f"{sid}.{number}.{other['refresh_token'].split('.')[2]}",
    }[kind]
    oauth_error(await ask_refresh(shared, token), "invalid_grant")
    assert (await ask_refresh(shared, one["refresh_token"])).status_code == 200


async def test_a_refresh_token_is_no_access_token(shared: httpx.AsyncClient) -> None:
    tokens = await sign_in(shared, await member(shared))
    problem(await call(shared, "GET", "/users/me", tokens["refresh_token"]), 401, "invalid_token")


# --- what is wrong with a request

GOOD = b"grant_type=password&username=a&password=b"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (b"", "invalid_request"),
        (b"username=a&password=b", "invalid_request"),
        (b"grant_type=&username=a&password=b", "invalid_request"),
        (b"grant_type=password", "invalid_request"),
        (b"grant_type=password&username=a", "invalid_request"),
        (b"grant_type=password&username=a&password=", "invalid_request"),
        (b"grant_type=password&password=b", "invalid_request"),
        (b"grant_type=password&username=&password=b", "invalid_request"),
        (b"grant_type=refresh_token", "invalid_request"),
        (b"grant_type=refresh_token&refresh_token=", "invalid_request"),
        (GOOD + b"&grant_type=password", "invalid_request"),
        (GOOD + b"&password=b", "invalid_request"),
        (GOOD + b"&username=c", "invalid_request"),
        (GOOD + b"&%75sername=c", "invalid_request"),
        (GOOD + b"&scope=me&scope=me", "invalid_request"),
        (GOOD + b"&password_jwe=x", "invalid_request"),
        (b"grant_type=password&username=a&password_jwe=x", "invalid_request"),
        (b"grant_type=password&username=a%00&password=b", "invalid_request"),
        (b"grant_type=password&username=a&password=b%00", "invalid_request"),
        (b"grant_type=password&username=a\x00&password=b", "invalid_request"),
        (b"grant_type=password&username=%ff&password=b", "invalid_request"),
        (b"grant_type=password&username=%ED%A0%80&password=b", "invalid_request"),
        (b"grant_type=password&username=%zz&password=b", "invalid_request"),
        (b"&".join(b"p%d=1" % number for number in range(10_000)), "invalid_request"),
        (b"&" * 1_000_000, "invalid_request"),
        (b"grant_type=client_credentials", "unauthorized_client"),
        (b"grant_type=authorization_code&code=x", "invalid_request"),
        (b"grant_type=implicit", "unsupported_grant_type"),
        (b"grant_type=PASSWORD&username=a&password=b", "unsupported_grant_type"),
        (b"grant_type=password+&username=a&password=b", "unsupported_grant_type"),
    ],
)
async def test_a_request_that_is_wrong_in_itself(shared: httpx.AsyncClient, form: bytes, code: str) -> None:
    oauth_error(await post_form(shared, "/auth/token", form), code)


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "", "multipart/form-data; boundary=x"]
)
async def test_only_forms_are_read(shared: httpx.AsyncClient, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    body = b'{"grant_type": "password", "username": "a", "password": "b"}'
    oauth_error(await call(shared, "POST", "/auth/token", content=body, headers=headers), "invalid_request")


async def test_parameters_in_the_query_string_do_not_count(shared: httpx.AsyncClient) -> None:
    user = await member(shared)
    query = f"grant_type=password&username={user['email']}&password={PASSWORD}"
    oauth_error(await post_form(shared, f"/auth/token?{query}", b""), "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_other_methods_are_refused_by_name(shared: httpx.AsyncClient, method: str) -> None:
    reply = await call(shared, method, "/auth/token")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"


async def test_a_body_over_a_megabyte_is_refused(shared: httpx.AsyncClient) -> None:
    form = b"grant_type=password&username=a&password=" + b"b" * 1_048_576
    problem(await post_form(shared, "/auth/token", form), 413, "body_too_large")


async def test_the_password_grant_can_be_switched_off(mongo_uri: str, redis_url: str) -> None:
    async with serving(mongo_uri, redis_url, password_grant=True) as client:
        user = await member(client)
        tokens = await sign_in(client, user)
    async with serving(mongo_uri, redis_url, password_grant=False) as client:
        oauth_error(await ask_token(client, user["email"]), "unsupported_grant_type")
        assert (await ask_refresh(client, tokens["refresh_token"])).status_code == 200
        metadata = (await client.get("/.well-known/oauth-authorization-server")).json()
        assert "password" not in metadata["grant_types_supported"]


# --- clients


@pytest.mark.parametrize("way", ["basic", "form"])
@pytest.mark.parametrize("is_public", [True, False])
async def test_a_registered_client_gets_tokens_of_its_own(
    shared: httpx.AsyncClient, way: str, *, is_public: bool
) -> None:
    held, secret = await register_client(shared, is_public=is_public)
    user = await member(shared)
    form = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    named = {"client_id": held.id} | ({} if is_public else {"client_secret": secret})
    headers = {"Authorization": basic(held.id, secret)} if way == "basic" else {}
    reply = await post_form(shared, "/auth/token", form if way == "basic" else form | named, **headers)
    assert reply.status_code == 200, reply.text
    tokens = reply.json()
    assert parts(tokens["access_token"])[1]["client_id"] == held.id
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    oauth_error(await post_form(shared, "/auth/token", refresh), "invalid_grant")  # not the built-in client's
    renewed = await post_form(
        shared, "/auth/token", refresh if way == "basic" else refresh | named, **headers
    )
    assert renewed.status_code == 200, renewed.text
    assert parts(renewed.json()["access_token"])[1]["client_id"] == held.id


async def test_nobody_named_a_bearer_token_and_swaggers_empty_basic_are_the_built_in_client(
    shared: httpx.AsyncClient,
) -> None:
    user = await member(shared)
    form = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    for more, headers in (
        ({}, {}),
        ({}, {"Authorization": "Basic Og=="}),
        ({}, {"Authorization": "Bearer of.a.session"}),
        ({"client_id": "", "client_secret": ""}, {}),
        ({"client_id": "roster"}, {}),
    ):
        reply = await post_form(shared, "/auth/token", form | more, **headers)
        assert reply.status_code == 200, reply.text
        assert parts(reply.json()["access_token"])[1]["client_id"] == "roster"


@pytest.mark.parametrize(
    "wrong",
    [
        "secret",
        "no secret",
        "unknown",
        "public with one",
        "built-in with one",
        "NUL",
        "digest",
        "torn",
    ],
)
async def test_a_client_that_does_not_prove_itself_is_challenged(
    shared: httpx.AsyncClient, wrong: str
) -> None:
    held, secret = await register_client(shared)
    public, _ = await register_client(shared, "Public", is_public=True)
    authorization = {
        "secret": basic(held.id, secret[:-1]),
        "no secret": basic(held.id, ""),
        "unknown": basic("nobody", secret),
        "public with one": basic(public.id, "x"),
        "built-in with one": basic("roster", "x"),
        "NUL": basic(held.id, "%00"),
        "digest": "Digest x",
        "torn": "Basic !!!",
    }[wrong]
    user = await member(shared)
    form = {"grant_type": "password", "username": user["email"], "password": PASSWORD}
    reply = await post_form(shared, "/auth/token", form, Authorization=authorization)
    oauth_error(reply, "invalid_client", 401)
    assert reply.headers["www-authenticate"] == 'Basic realm="roster", charset="UTF-8"'


async def test_a_wrong_secret_in_the_form_is_refused_too_and_two_ways_at_once_are_one_too_many(
    shared: httpx.AsyncClient,
) -> None:
    held, secret = await register_client(shared)
    form = {"grant_type": "password", "username": "a", "password": "b", "client_id": held.id}
    oauth_error(await post_form(shared, "/auth/token", form), "invalid_client", 401)
    oauth_error(await post_form(shared, "/auth/token", form | {"client_secret": "x"}), "invalid_client", 401)
    both = await post_form(
        shared, "/auth/token", form | {"client_secret": secret}, Authorization=basic(held.id, secret)
    )
    oauth_error(both, "invalid_request")


async def test_a_client_uses_only_the_grant_types_that_it_is_registered_for(
    shared: httpx.AsyncClient,
) -> None:
    user, (held, secret) = await member(shared), await register_client(shared)
    proof = {"client_id": held.id, "client_secret": secret}
    tokens = await sign_in(shared, user, **proof)
    clients = resources(shared).auth.clients
    await clients.change(held.id, {"grant_types": frozenset({"client_credentials"})})
    description = oauth_error(await ask_token(shared, user["email"], **proof), "unauthorized_client")
    assert description == "The client is not registered for this grant type."
    refused = await ask_refresh(shared, tokens["refresh_token"], **proof)
    oauth_error(refused, "unauthorized_client")
    unknown = await post_form(shared, "/auth/token", proof | {"grant_type": "implicit"})
    oauth_error(unknown, "unsupported_grant_type")
    await clients.change(held.id, {"grant_types": frozenset({"refresh_token"})})
    assert (await ask_refresh(shared, tokens["refresh_token"], **proof)).status_code == 200
    oauth_error(await ask_token(shared, user["email"], **proof), "unauthorized_client")


async def test_a_client_that_was_removed_refreshes_no_more(shared: httpx.AsyncClient) -> None:
    held, secret = await register_client(shared)
    user = await member(shared)
    tokens = await sign_in(shared, user, client_id=held.id, client_secret=secret)
    await resources(shared).auth.clients.remove(held.id)
    reply = await ask_refresh(shared, tokens["refresh_token"], client_id=held.id, client_secret=secret)
    oauth_error(reply, "invalid_client", 401)


async def test_a_clients_scopes_limit_those_of_its_users(shared: httpx.AsyncClient) -> None:
    held, _ = await register_client(shared, is_public=True, scopes=["me", "users:read"])
    admin = await member(shared, *ALL_SCOPES)
    assert (await sign_in(shared, admin, client_id=held.id))["scope"] == "me users:read"
    some = await sign_in(shared, admin, client_id=held.id, scope="users:read users:admin")
    assert some["scope"] == "users:read"
    none = await ask_token(shared, admin["email"], client_id=held.id, scope="users:admin")
    oauth_error(none, "invalid_scope")


# --- what is in an access token (RFC 9068)


def _verify(jwk: dict[str, Any], signature: bytes, signed: bytes) -> None:
    """With cryptography alone; raises where the signature is not of this key."""

    def number(name: str) -> int:
        return int.from_bytes(decoded(jwk[name]), "big")

    match jwk["kty"]:
        case "OKP":
            Ed25519PublicKey.from_public_bytes(decoded(jwk["x"])).verify(signature, signed)
        case "EC":
            key = EllipticCurvePublicNumbers(number("x"), number("y"), SECP256R1()).public_key()
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
        case _:
            RSAPublicNumbers(number("e"), number("n")).public_key().verify(
                signature, signed, PKCS1v15(), SHA256()
            )


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
async def test_others_verify_a_token_with_the_published_keys_and_find_nothing_personal(
    bare_uri: str, redis_url: str, algorithm: str
) -> None:
    issuer = "https://users.example.com"
    async with serving(
        bare_uri,
        redis_url,
        issuer=issuer,
        audience="staff",
        token_algorithm=algorithm,
        access_token_ttl_s=90,
    ) as client:
        user = await member(client, name="Personal Name", username="personal_nick", phone="+4915112345678")
        before = int(time.time())
        tokens = await sign_in(client, user)
        keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
        again = await sign_in(client, user)
    header, claims = parts(tokens["access_token"])
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    assert header == {"alg": algorithm, "kid": key["kid"], "typ": "at+jwt"}
    assert (key["use"], key["alg"]) == ("sig", algorithm)
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    signed, _, signature = tokens["access_token"].rpartition(".")
    _verify(key, decoded(signature), signed.encode())
    assert set(claims) == {
        "iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "sid", "scope",
    }  # fmt: skip
    assert (claims["iss"], claims["aud"], claims["sub"]) == (issuer, "staff", user["id"])
    assert (claims["client_id"], claims["scope"]) == ("roster", "me")
    assert before <= claims["iat"] == claims["nbf"] <= time.time()
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 90
    other = parts(again["access_token"])[1]
    assert claims["jti"] != other["jti"]
    assert claims["sid"] != other["sid"]
    said = f"{header}{claims}".lower()
    for personal in (user["email"], "personal", "15112345678", "argon2"):
        assert personal not in said


# --- the documents of discovery


async def test_metadata_and_keys_are_as_the_routes_are(mongo_uri: str, redis_url: str) -> None:
    issuer = "https://users.example.com"
    async with serving(mongo_uri, redis_url, issuer=issuer) as client:
        keys = await call(client, "GET", "/.well-known/jwks.json")
        assert keys.headers["cache-control"] == "public, max-age=60"
        assert set(keys.json()) == {"keys"}
        reply = await call(client, "GET", "/.well-known/oauth-authorization-server")
        metadata = reply.json()
        assert metadata["issuer"] == issuer
        assert metadata["scopes_supported"] == [*ALL_SCOPES, *IDENTITY_SCOPES]
        assert {"authorization_code", "password", "refresh_token"} <= set(metadata["grant_types_supported"])
        assert metadata["response_types_supported"] == ["code"]
        assert None not in metadata.values()
        for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
            wrong = await post_form(client, metadata[name].removeprefix(issuer), b"")
            assert wrong.status_code in {400, 401}, name
            assert set(wrong.json()) == {"error", "error_description"}
            assert metadata[f"{name}_auth_methods_supported"]
        listed = await call(client, "GET", metadata["jwks_uri"].removeprefix(issuer))
        assert listed.json() == keys.json()
