"""Authlib: the sessions for requests and for httpx, ID tokens by its own claims."""

import asyncio
from typing import Any

import httpx
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from clients.programs.harness import (
    CALLBACK,
    CLIENTS,
    IDENTITY,
    ISSUER,
    KEY,
    SIGNED_OUT,
    USER,
    find,
    refused,
    step,
    visit,
)

with step("discovery"):
    metadata = OpenIDProviderMetadata(find("/.well-known/openid-configuration"))
    assert metadata["issuer"] == ISSUER
_VERIFIER = "an-authlib-verifier-of-more-than-43-characters-0123456789"
_TOKEN = metadata["token_endpoint"]


def _session(client: str, **more: Any) -> OAuth2Session:
    return OAuth2Session(
        CLIENTS[client]["id"],
        more.pop("secret", CLIENTS[client].get("secret")),
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        **more,
    )


def _sign_in(session: Any, scope: str = IDENTITY) -> Any:
    url, _ = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=_VERIFIER, nonce="n", scope=scope
    )
    return session.fetch_token(_TOKEN, authorization_response=visit(url), code_verifier=_VERIFIER)


with step("code with PKCE, client_secret_basic"):
    web = _session("server")
    tokens = _sign_in(web)

with step("ID token verified"):
    keys = KeySet.import_key_set(find("/.well-known/jwks.json"))
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"]).claims
    checked = CodeIDToken(
        claims, {}, {"iss": {"value": ISSUER}}, {"nonce": "n", "client_id": CLIENTS["server"]["id"]}
    )
    checked.validate()
    assert checked["sub"] == USER["id"]

with step("userinfo"):
    assert web.get(metadata["userinfo_endpoint"]).json()["email"] == USER["email"]

with step("refresh"):
    tokens = web.refresh_token(_TOKEN)

with step("code, client_secret_post"):
    _sign_in(_session("server", token_endpoint_auth_method="client_secret_post"))

with step("code, public client"):
    _sign_in(_session("browser", token_endpoint_auth_method="none"))

with step("code, private_key_jwt"):
    signing = _session("signing", secret=ECKey.import_key(KEY), token_endpoint_auth_method="private_key_jwt")
    signing.register_client_auth_method(PrivateKeyJWT(_TOKEN, alg="ES256", headers={"kid": KEY["kid"]}))
    _sign_in(signing)

with step("client credentials"):
    service = _session("service")
    service.fetch_token(_TOKEN, grant_type="client_credentials", scope="users:read")
    assert service.get(f"{ISSUER}/users?limit=1").status_code == httpx.codes.OK

with step("introspection"):
    told = web.introspect_token(metadata["introspection_endpoint"], tokens["access_token"]).json()
    assert told["active"], told

with step("revocation"):
    web.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"], "refresh_token")
    assert not web.introspect_token(metadata["introspection_endpoint"], tokens["access_token"]).json()[
        "active"
    ]
    with refused(OAuthError):
        web.refresh_token(_TOKEN, tokens["refresh_token"])


async def _use_httpx() -> None:
    async with AsyncOAuth2Client(
        client_id=CLIENTS["server"]["id"],
        client_secret=CLIENTS["server"]["secret"],
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    ) as session:
        url, _ = session.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=_VERIFIER, scope=IDENTITY
        )
        place = await asyncio.to_thread(visit, url)
        await session.fetch_token(_TOKEN, authorization_response=place, code_verifier=_VERIFIER)
        told = (await session.get(metadata["userinfo_endpoint"])).json()
        assert told["sub"] == USER["id"]
        await session.refresh_token(_TOKEN)


with step("code, refresh and userinfo over httpx"):
    asyncio.run(_use_httpx())

with step("logout"):
    last = _sign_in(web)
    asked = httpx.QueryParams(id_token_hint=last["id_token"], post_logout_redirect_uri=SIGNED_OUT, state="s")
    assert visit(f"{metadata['end_session_endpoint']}?{asked}") == f"{SIGNED_OUT}?state=s"
    with refused(OAuthError):
        web.refresh_token(_TOKEN, last["refresh_token"])
