"""Clients as they describe themselves: the metadata of RFC 7591, section 2, and its bounds here.

Nobody vouches for such a client, so it is third party, has none but its users' own rights, and may not look
like a client of an administrator. What a page would show or fetch of it (`logo_uri`, `jwks_uri`) is ignored.
"""

from typing import Any, get_args
from urllib.parse import urlsplit

from app.clients.client import Client, NewClient
from app.clients.redirects import is_web
from app.clients.rules import wrong
from models.client import NAME_LENGTH
from models.client_registration import ClientMetadata, DynamicGrantType
from models.letters import mixes_look_alikes
from models.values import IDENTITY_SCOPES

SCOPES = ("me", *IDENTITY_SCOPES)
_REPLACED = (
    *("name", "scopes", "grant_types", "redirect_uris", "post_logout_redirect_uris", "requires_par"),
    "keys",
)
_GRANT_TYPES = frozenset(get_args(DynamicGrantType))


def read(metadata: ClientMetadata) -> NewClient:
    """The client that the metadata describe, without what it may not have. InvalidError names a fault."""
    if mixes_look_alikes(metadata.client_name):
        raise wrong("client_name", "Must not mix letters of scripts that look alike.")
    grant_types = _GRANT_TYPES.intersection(metadata.grant_types)
    if not grant_types:
        raise wrong("grant_types", f"Must name one of {', '.join(sorted(_GRANT_TYPES))}.")
    if "authorization_code" in grant_types and "code" not in metadata.response_types:
        raise wrong("response_types", "Must hold code for authorization_code.")
    return NewClient(
        name=metadata.client_name or _name_by_address(metadata),
        auth_method=metadata.token_endpoint_auth_method,
        scopes=_read_scopes(metadata.scope),
        grant_types=frozenset(grant_types),
        redirect_uris=tuple(dict.fromkeys(metadata.redirect_uris)),
        post_logout_redirect_uris=tuple(dict.fromkeys(metadata.post_logout_redirect_uris)),
        requires_par=metadata.require_pushed_authorization_requests,
        keys=tuple(metadata.jwks.keys) if metadata.jwks is not None else (),
    )


def changes(metadata: ClientMetadata) -> dict[str, Any]:
    """What the metadata replace of a registered client."""
    new = read(metadata)
    return {name: getattr(new, name) for name in _REPLACED}


def describe(client: Client) -> dict[str, Any]:
    """The registered metadata of a client."""
    has_code = "authorization_code" in client.grant_types
    return {
        "client_id": client.id,
        "client_id_issued_at": int(client.created_at.timestamp()) if client.created_at else 0,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": sorted(client.grant_types),
        "response_types": ["code"] if has_code else [],
        "token_endpoint_auth_method": client.auth_method,
        "scope": " ".join(sorted(client.scopes or ())),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "require_pushed_authorization_requests": client.requires_par,
    } | ({"jwks": {"keys": list(client.keys)}} if client.keys else {})


def _read_scopes(scope: str | None) -> frozenset[str]:
    """Those asked for that such a client may have; all of these if none is asked for."""
    if scope is None:
        return frozenset(SCOPES)
    asked = frozenset(SCOPES).intersection(scope.split(" "))
    if not asked:
        raise wrong("scope", f"Must name one of {' '.join(SCOPES)}.")
    return asked


def _name_by_address(metadata: ClientMetadata) -> str:
    """A name for a client that tells none: where it sends its users."""
    hosts = [urlsplit(uri).netloc for uri in metadata.redirect_uris if is_web(uri)]
    return hosts[0][:NAME_LENGTH] if hosts else "Client"
