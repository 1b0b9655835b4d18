"""The `$jsonSchema` validator of the users collection: the last guard against writes past the models."""

from typing import Any


def _text(*, nullable: bool = True) -> dict[str, Any]:
    return {"bsonType": ["string", "null"] if nullable else "string"}


def _object(
    properties: dict[str, Any], *, required: tuple[str, ...] = (), closed: bool = True
) -> dict[str, Any]:
    schema: dict[str, Any] = {"bsonType": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    if closed:
        schema["additionalProperties"] = False
    return schema


_DATE = {"bsonType": "date"}
_TEXTS = {"bsonType": "array", "items": {"bsonType": "string"}}
_AGE = {"bsonType": ["int", "long", "null"], "minimum": 0, "maximum": 150}
_ADDRESS = _object({name: _text() for name in ("label", "street", "city", "region", "zipcode", "country")})
_PROFILE = _object(
    {
        "bio": _text(),
        "age": _AGE,
        "title": _text(),
        "department": _text(),
        "addresses": {"bsonType": "array", "maxItems": 10, "items": _ADDRESS},
    }
)
_KEYS = _object({"email": _text(nullable=False), "username": _text(), "name": _text(nullable=False)})
_CREDENTIALS = _object({"password_hash": _text(), "generation": {"bsonType": ["int", "long"], "minimum": 0}})
_SEARCH = _object({"v": {"bsonType": ["int", "long"]}, "t": _TEXTS, "p": _TEXTS})

VALIDATOR: dict[str, Any] = {
    "$jsonSchema": _object(
        {
            "username": _text(),
            "email": _text(nullable=False),
            "name": {"bsonType": "string", "minLength": 1},
            "phone": _text(),
            "avatar_url": _text(),
            "locale": _text(),
            "tags": _TEXTS,
            "scopes": _TEXTS,
            "is_active": {"bsonType": "bool"},
            "profile": _PROFILE,
            "created_at": _DATE,
            "updated_at": _DATE,
            "last_login_at": {"bsonType": ["date", "null"]},
            "last_login_ip": _text(),
            "version": {"bsonType": ["int", "long"], "minimum": 1},
            "keys": _KEYS,
            "facets": _TEXTS,
            "search": _SEARCH,
            "credentials": _CREDENTIALS,
        },
        required=(
            "email", "name", "tags", "scopes", "is_active", "profile",
            "created_at", "updated_at", "version", "keys", "facets",
        ),
        closed=False,  # later versions add fields; an older process must not refuse their rows
    )
}  # fmt: skip
