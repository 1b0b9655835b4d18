"""The `$jsonSchema` validator of the users collection: the last guard against writes of other programs."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from models.answers import MOST
from models.fields import Kind
from models.user import User

_REQUIRED = [
    "email", "name", "tags", "scopes", "is_active", "profile",
    "created_at", "updated_at", "version", "keys", "facets",
]  # fmt: skip
"""The fields of the first release: users who were not written since have no later ones."""
_TYPES: dict[type, list[str]] = {
    str: ["string"],
    int: ["int", "long"],
    bool: ["bool"],
    datetime: ["date"],
}


def _properties(model: type[BaseModel]) -> dict[str, Any]:
    schemas = model.model_json_schema()["properties"]
    return {
        name: _field(Kind.of(info.annotation), schemas[name])
        for name, info in model.model_fields.items()
        if name not in ("id", "revision_id")
    }


def _field(kind: Kind, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field; only models bound texts, so that stored values stay writable."""
    item: dict[str, Any]
    if issubclass(kind.type, BaseModel):
        item = {"bsonType": "object", "properties": _properties(kind.type), "additionalProperties": False}
        bounds = {"maxItems"}
    else:
        types = _TYPES[kind.type] + ["null"] * kind.nullable
        item = {"bsonType": types if len(types) > 1 else types[0]}
        bounds = {"minimum", "maximum"}
    said = schema.get("anyOf", [schema])[0]
    kept = {name: said[name] for name in bounds & said.keys() if said[name] != MOST}
    return {"bsonType": "array", "items": item, **kept} if kind.many else item | kept


_PROPERTIES = _properties(User)
_PROPERTIES["name"]["minLength"] = 1
VALIDATOR: dict[str, Any] = {
    "$jsonSchema": {
        "bsonType": "object",
        "properties": {"_id": {"bsonType": "objectId"}, **_PROPERTIES},
        "required": _REQUIRED,
        # Open, so that an older process does not refuse fields of a later release.
    }
}
