"""What clients are told of a user, by scope (OpenID Connect Core 1.0, sections 5.1 and 5.4)."""

from collections.abc import Collection, Mapping
from typing import Any

from app.core.mongo import Row

BY_SCOPE: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "preferred_username", "picture", "locale", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
}
SCOPE_OF: Mapping[str, str] = {name: scope for scope, names in BY_SCOPE.items() for name in names}

FIELDS = (
    "email",
    "email_verified",
    "name",
    "username",
    "avatar_url",
    "locale",
    "updated_at",
    "phone",
    "profile.addresses",
)
"""The stored fields that claims are made of."""


def named(scopes: Collection[str]) -> frozenset[str]:
    """The claims of these scopes."""
    return frozenset(name for scope in scopes for name in BY_SCOPE.get(scope, ()))


def tell(user: Row, wanted: Collection[str]) -> dict[str, Any]:
    """The wanted claims that the user has a value for."""
    address = _address(((user.get("profile") or {}).get("addresses") or [None])[0])
    updated_at = user.get("updated_at")
    known: dict[str, Any] = {
        "name": user.get("name"),
        "preferred_username": user.get("username"),
        "picture": user.get("avatar_url"),
        "locale": (user.get("locale") or "").replace("_", "-") or None,
        "updated_at": updated_at and int(updated_at.timestamp()),
        "email": user.get("email"),
        "email_verified": user.get("email") and bool(user.get("email_verified")),
        "phone_number": user.get("phone"),
        "phone_number_verified": user.get("phone") and False,
        "address": address,
    }
    return {name: value for name, value in known.items() if name in wanted and value is not None}


def _address(stored: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The first address (section 5.1.1); `formatted` has its lines."""
    if stored is None:
        return None
    names = {
        "street_address": "street",
        "locality": "city",
        "region": "region",
        "postal_code": "zipcode",
        "country": "country",
    }
    told = {name: str(stored[field]) for name, field in names.items() if stored.get(field)}
    return told | {"formatted": "\n".join(told.values())} if told else None
