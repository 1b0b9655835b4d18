"""`/.well-known`: metadata and keys by which others verify our tokens."""

from typing import get_args

from fastapi import APIRouter, Response

from app.auth.id_tokens import ACR
from app.clients.assertions import ALGORITHMS
from app.http.dependencies import Backends
from app.http.problems import responses
from app.oauth import forms, token_endpoint
from app.oauth.authorization.requests import PROMPTS
from app.oauth.openid import claims
from models.client import AuthMethod
from models.server_metadata import ServerMetadata
from models.token import MOST_KEYS, KeySet

router = APIRouter(prefix="/.well-known", tags=["auth"])

_SIGNED = list(ALGORITHMS)
"""By which clients sign their assertions."""
KEYS_MAX_AGE_S = 60
"""A new key is published at least that long before it signs."""


@router.get("/jwks.json", summary="The keys that sign tokens", responses=responses())
async def read_keys(opened: Backends, response: Response) -> KeySet:
    """RFC 7517, with the next key to sign, and those whose tokens have not expired."""
    response.headers["Cache-Control"] = f"public, max-age={KEYS_MAX_AGE_S}"
    return KeySet(keys=opened.auth.keyring.public()[:MOST_KEYS])


@router.get(
    "/oauth-authorization-server",
    response_model_exclude_none=True,
    summary="Metadata for OAuth clients",
    responses=responses(),
)
async def read_metadata(opened: Backends) -> ServerMetadata:
    """RFC 8414; the same as for OpenID Connect."""
    issuer, auth = opened.settings.issuer_url, opened.auth
    confidential = [method for method in get_args(AuthMethod) if method != "none"]
    algorithms = sorted({key["alg"] for key in auth.keyring.public()})
    registers = opened.settings.client_registration != "closed"
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/auth/authorize",
        pushed_authorization_request_endpoint=f"{issuer}/auth/par",
        device_authorization_endpoint=f"{issuer}/auth/device",
        token_endpoint=f"{issuer}/auth/token",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        userinfo_endpoint=f"{issuer}/auth/userinfo",
        end_session_endpoint=f"{issuer}/auth/end-session",
        registration_endpoint=f"{issuer}/auth/clients" if registers else None,
        introspection_endpoint=f"{issuer}/auth/introspect",
        revocation_endpoint=f"{issuer}/auth/revoke",
        scopes_supported=list(forms.EVERY_SCOPE),
        response_types_supported=["code"],
        response_modes_supported=["query", "form_post"],
        grant_types_supported=token_endpoint.offered(auth),
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
        require_pushed_authorization_requests=False,
        token_endpoint_auth_methods_supported=["none", *confidential],
        token_endpoint_auth_signing_alg_values_supported=_SIGNED,
        introspection_endpoint_auth_methods_supported=confidential,
        introspection_endpoint_auth_signing_alg_values_supported=_SIGNED,
        revocation_endpoint_auth_methods_supported=["none", *confidential],
        revocation_endpoint_auth_signing_alg_values_supported=_SIGNED,
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=algorithms,
        acr_values_supported=[ACR],
        claim_types_supported=["normal"],
        claims_supported=["sub", *claims.SCOPE_OF],
        claims_parameter_supported=True,
        request_parameter_supported=False,
        request_uri_parameter_supported=False,
        prompt_values_supported=sorted(PROMPTS),
        ui_locales_supported=["en", "zh"],
        backchannel_logout_supported=True,
        backchannel_logout_session_supported=True,
    )


@router.get(
    "/openid-configuration",
    response_model_exclude_none=True,
    summary="Metadata for OpenID Connect clients",
    responses=responses(),
)
async def read_openid_metadata(opened: Backends) -> ServerMetadata:
    """OpenID Connect Discovery 1.0; the same as for OAuth."""
    return await read_metadata(opened)
