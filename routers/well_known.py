"""`/.well-known`: metadata and keys by which others verify our tokens."""

from fastapi import APIRouter, Response

from app.auth import token_endpoint
from app.http.dependencies import Backends
from app.http.problems import responses
from models.token import MOST_KEYS, KeySet, ServerMetadata
from models.values import ALL_SCOPES

router = APIRouter(prefix="/.well-known", tags=["auth"])

KEYS_MAX_AGE_S = 60
"""A new key is published at least that long before it signs."""


@router.get("/jwks.json", summary="The keys that sign access tokens", responses=responses())
async def read_keys(opened: Backends, response: Response) -> KeySet:
    """RFC 7517, with the next key to sign, and those whose tokens have not expired."""
    response.headers["Cache-Control"] = f"public, max-age={KEYS_MAX_AGE_S}"
    return KeySet(keys=opened.auth.keyring.public()[:MOST_KEYS])


@router.get("/oauth-authorization-server", summary="Metadata of the token endpoints", responses=responses())
async def read_metadata(opened: Backends) -> ServerMetadata:
    """RFC 8414."""
    settings = opened.settings
    issuer = settings.issuer_url
    methods = ["client_secret_basic", "client_secret_post"]
    return ServerMetadata(
        issuer=issuer,
        token_endpoint=f"{issuer}/auth/token",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        introspection_endpoint=f"{issuer}/auth/introspect",
        revocation_endpoint=f"{issuer}/auth/revoke",
        scopes_supported=list(ALL_SCOPES),
        response_types_supported=[],
        grant_types_supported=token_endpoint.offered(opened.auth),
        token_endpoint_auth_methods_supported=["none", *methods],
        introspection_endpoint_auth_methods_supported=methods,
        revocation_endpoint_auth_methods_supported=["none", *methods],
    )
