"""The `$jsonSchema` validator of the users collection: the last guard against writes past the models."""

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
"""What the first release stored. A user who was not written since has nothing of what came later."""
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
    """Texts and lists of texts are bounded by the models alone: what was taken once must stay writable."""
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
        "properties": _PROPERTIES,
        "required": _REQUIRED,
        # Open: later releases add fields, and an older process must not refuse their rows.
    }
}
