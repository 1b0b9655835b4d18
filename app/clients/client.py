"""A client, and its form in MongoDB."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from bson import ObjectId

from app.core.mongo import Row
from app.core.normalise import name_key
from models.client import OLDER_GRANT_TYPES, AuthMethod, GrantType
from models.values import ALL_SCOPES

_SETS = frozenset({"scopes", "grant_types"})
_SUBJECT_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """What a client is registered with."""

    name: str
    auth_method: AuthMethod = "client_secret_basic"
    scopes: frozenset[str] | None = None
    """None: it may be given any scope its user has."""
    grant_types: frozenset[GrantType] = frozenset(OLDER_GRANT_TYPES)
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    is_first_party: bool = False
    """Its users are not asked for their consent."""
    requires_par: bool = False
    """It must push its authorization requests (RFC 9126)."""
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    keys: tuple[dict[str, Any], ...] = ()
    """Public JWKs by which its assertions are verified."""

    @property
    def is_public(self) -> bool:
        """Whether it cannot authenticate: an app in a browser or on a phone."""
        return self.auth_method == "none"

    @property
    def own_scopes(self) -> frozenset[str]:
        """What it may do as itself: nothing that is a person's, and nothing unless its scopes are named."""
        return (self.scopes or frozenset()) & (frozenset(ALL_SCOPES) - {"me"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(NewClient):
    """A registered client."""

    id: str
    registration: str = ""
    """New each time that this id is registered; a session belongs to one registration."""
    subject: str
    """The id that stands for the client itself where a user's would stand: 24 hexadecimal digits."""
    is_dynamic: bool = False
    """It registered itself (RFC 7591), so nobody vouches for its name."""
    created_at: datetime | None = None
    old_secret_until: datetime | None = None
    """Until when the secret before the last renewal is good, too."""


BUILT_IN = Client(
    id="roster",
    name="Roster",
    auth_method="none",
    grant_types=frozenset(
        {*OLDER_GRANT_TYPES, "authorization_code", "urn:ietf:params:oauth:grant-type:device_code"}
    ),
    is_first_party=True,
    subject="0" * 2 * _SUBJECT_BYTES,
)
"""The client of requests that name none."""

CONSOLE = Client(
    id="roster-console",
    name="Roster console",
    auth_method="none",
    grant_types=frozenset({"authorization_code"}),
    is_first_party=True,
    subject=f"{1:024x}",
)
"""The page at /console: it gets no refresh token, as the session of its browser renews what it has."""

BUILT_INS: Mapping[str, Client] = {client.id: client for client in (BUILT_IN, CONSOLE)}
"""Clients that nobody registers; `Clients` adds their redirect URIs, which have the issuer in them."""

_SET = [field.name for field in fields(NewClient)]


def subject_of(client_id: str, registration: str) -> ObjectId:
    """The subject of a client, derived so that every process finds the same; ids hold no line breaks."""
    hashed = hashlib.sha256(f"client\n{client_id}\n{registration}".encode()).digest()
    return ObjectId(hashed[:_SUBJECT_BYTES])


def stored(client: NewClient) -> Row:
    """The stored fields that a client is registered with, and the key by which its name is compared."""
    values = {name: _stored(getattr(client, name)) for name in _SET}
    return values | {"name_key": name_key(client.name)}


def older(document: Row) -> Row:
    """What a document lacks that an older release wrote."""
    is_public = document["secret_hash"] is None
    default = NewClient(name=document["name"], auth_method="none" if is_public else "client_secret_basic")
    added = stored(default) | {"subject": subject_of(document["_id"], document.get("registration", ""))}
    return {name: value for name, value in added.items() if name not in document}


def read(document: Row) -> Client:
    """The client of a document, perhaps of an older release."""
    if "subject" not in document:
        document = document | older(document)
    return Client(
        **{name: _read(name, document[name]) for name in _SET},
        id=document["_id"],
        registration=document.get("registration", ""),
        subject=str(document["subject"]),
        is_dynamic=document.get("registration_token_hash") is not None,
        created_at=document["created_at"],
        old_secret_until=(document.get("old_secret") or {}).get("until"),
    )


def _stored(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _read(name: str, value: Any) -> Any:
    if name in _SETS and value is not None:
        return frozenset(value)
    return tuple(value) if isinstance(value, list) else value
