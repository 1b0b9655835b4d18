"""SCIM's attributes of a user and our fields: one table, read in both directions.

What a client says of a user is kept as it said it (`StoredLink.said`), so that it reads its own spelling and
the attributes that we have no field for. Of those in the table, the user's field decides once it differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.core.mongo import Row
from app.core.normalise import canonical, email_key, name_key

CORE: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A simple attribute, by its path in the JSON of a resource, and the field that holds it."""

    said: tuple[str, ...]
    field: tuple[str, ...]


SIMPLE: Final = (
    Attribute(("active",), ("is_active",)),
    Attribute(("locale",), ("locale",)),
    Attribute(("title",), ("profile", "title")),
    Attribute((ENTERPRISE, "department"), ("profile", "department")),
)
_NOTHING: Final[dict[str, Any]] = {"name": "", "profile": {}}
FILTERED: Final = {
    "id": "id",
    "username": "username",
    "displayname": "name",
    "name.formatted": "name",
    "active": "is_active",
    "locale": "locale",
    "title": "title",
    "emails": "email",
    "emails.value": "email",
    "phonenumbers": "phone",
    "phonenumbers.value": "phone",
    "meta.created": "created_at",
    "meta.lastmodified": "updated_at",
    "department": "department",
}
"""Attributes of filters and orders, and the fields by whose indexes they are served."""


def read(said: Said) -> dict[str, Any]:
    """The fields of the user that the resource means: those of a `UserPatch`, all that the table knows."""
    user_name = said["userName"]
    values: dict[str, Any] = {
        "name": _name(said),
        "username": None if "@" in user_name else user_name,
        "email": user_name if "@" in user_name else _primary(said, "emails"),
        "profile": {},
    }
    for attribute in SIMPLE:
        holder = values if len(attribute.field) == 1 else values["profile"]
        value = _find(said, attribute.said)
        holder[attribute.field[-1]] = True if value is None and attribute.field == ("is_active",) else value
    return values


def show(said: Said, row: Row) -> dict[str, Any]:
    """The resource of a user as its client reads it: as it said it, where others did not change it since."""
    shown = dict(said)
    fields = read(said) if said else _NOTHING
    for attribute in SIMPLE:
        value = _find(row, attribute.field)
        if _find(fields, attribute.field) != value:
            _put(shown, attribute.said, value)
    if name_key(fields["name"]) != name_key(row["name"]):
        shown["displayName"] = row["name"]
    if not _is_named(said.get("userName"), row):
        shown["userName"] = row["username"] or row["email"] or str(row["_id"])
    for name, field in (("emails", "email"), ("phoneNumbers", "phone")):
        if not said and row[field] is not None:
            shown[name] = [{"value": row[field], "primary": True}]
    return {name: value for name, value in shown.items() if value is not None}


def _is_named(user_name: str | None, row: Row) -> bool:
    """Whether the user still has this name."""
    if user_name is None:
        return False
    if "@" in user_name:
        return email_key(user_name) == email_key(row["email"] or "@")
    return canonical(user_name) == canonical(row["username"] or "")


def _name(said: Said) -> str:
    """What people call the user: `displayName`, else the formatted name, else its parts."""
    parts = said.get("name") or {}
    joined = " ".join(str(parts[part]) for part in ("givenName", "familyName") if parts.get(part))
    return str(said.get("displayName") or parts.get("formatted") or joined or said["userName"])


def _primary(said: Said, name: str) -> str | None:
    items = [item for item in said.get(name) or () if item.get("value")]
    chosen = next((item for item in items if item.get("primary")), items[0] if items else None)
    return None if chosen is None else str(chosen["value"])


def _find(holder: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        holder = (holder or {}).get(name)
    return holder


def _put(holder: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        holder[name] = {**holder.get(name, {})} if value is not None or name in holder else {}
        holder = holder[name]
    holder[path[-1]] = value
