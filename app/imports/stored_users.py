"""Looks up the users of rows, and the owners of their unique values, for many rows at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bson import ObjectId

from app.core.mongo import Collection, Row
from app.core.normalise import canonical, typed_email_key
from app.imports.row_parser import ParsedRow
from app.users.selections import choose
from models import phones

_HASH: Final = "credentials.password_hash"
_STRING: Final = {"$type": "string"}
"""The unique indexes are partial: they serve only queries for strings."""
PUBLIC, READER = choose(None)
UNIQUE: Final = {"email": "keys.email", "username": "keys.username", "phone": "phone"}
"""The paths of the unique fields; their indexes have the field's name."""


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A stored user. `row` is None if it is malformed."""

    id: ObjectId
    row: Row | None
    keys: Mapping[str, str | None]
    """Their unique values, normalised: `email`, `username`, `phone`."""
    password_hash: str | None


@dataclass(slots=True)
class StoredUsers:
    """The users that were found."""

    by_id: dict[ObjectId, StoredUser] = field(default_factory=dict)
    owners: dict[str, dict[str, ObjectId]] = field(default_factory=lambda: {name: {} for name in UNIQUE})
    """The id of the user with each value, by unique field."""
    asked: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in UNIQUE})

    def of(self, parsed: ParsedRow) -> StoredUser | None:
        """The user of a row, by its first key."""
        kind, key = find_key(parsed.values)
        if kind == "id":
            return self.by_id.get(ObjectId(key))
        owner = self.owners[kind].get(key) if kind else None
        return self.by_id.get(owner) if owner is not None else None


def find_key(values: Mapping[str, Any]) -> tuple[str, str]:
    """The field and the normalised value by which a row finds its user; two empty texts without one."""
    if values.get("id"):
        return "id", values["id"]
    for name in ("email", "username"):
        key = normalise(name, values.get(name))
        if key is not None:
            return name, key
    return "", ""


def normalise(name: str, value: Any) -> str | None:
    """The normalised form of an `email`, `username` or `phone`; None for any other value."""
    if not isinstance(value, str) or not value:
        return None
    if name == "email":
        return typed_email_key(value)
    return canonical(value) if name == "username" else phones.key(value)


async def find(users: Collection, rows: Iterable[ParsedRow], *, hashes: bool) -> StoredUsers:
    """The users of the rows; with `hashes` also their password hashes."""
    found = StoredUsers()
    wanted: dict[str, set[str]] = {"id": set(), "email": set(), "username": set()}
    for parsed in rows:
        kind, key = find_key(parsed.values)
        if kind:
            wanted[kind].add(key)
    if wanted["id"]:
        await _look(
            users, found, {"_id": {"$in": [ObjectId(each) for each in wanted["id"]]}}, "_id_", hashes=hashes
        )
    for name in ("email", "username"):
        if wanted[name]:
            found.asked[name] |= wanted[name]
            await _look(users, found, _any(name, wanted[name]), name, hashes=hashes)
    return found


async def find_owners(users: Collection, found: StoredUsers, wanted: Mapping[str, set[str]]) -> None:
    """Add the owners of unique values to `found`, which known ones are not queried for again."""
    for name, values in wanted.items():
        missing = values - found.asked[name]
        if not missing:
            continue
        found.asked[name] |= missing
        path = UNIQUE[name]
        cursor = users.find(_any(name, missing), {path: 1}, hint=name, batch_size=len(missing))
        async for row in cursor:
            holder = row["keys"] if path.startswith("keys.") else row
            found.owners[name][holder[name]] = row["_id"]


def _any(name: str, values: Iterable[str]) -> dict[str, Any]:
    return {UNIQUE[name]: {"$in": sorted(values)} | _STRING}


async def _look(
    users: Collection, found: StoredUsers, condition: dict[str, Any], index: str, *, hashes: bool
) -> None:
    projection = PUBLIC | {"keys.email": 1, "keys.username": 1} | ({_HASH: 1} if hashes else {})
    rows = await users.find(condition, projection, hint=index).to_list()
    held = [(row, row.pop("keys", None) or {}, row.pop("credentials", None) or {}) for row in rows]
    sound = {row["_id"]: row for row in READER.sound([row for row, _, _ in held])}
    for row, keys, credentials in held:
        unique = {"email": keys.get("email"), "username": keys.get("username"), "phone": row.get("phone")}
        user_id = row["_id"]
        found.by_id[user_id] = StoredUser(
            user_id, sound.get(user_id), unique, credentials.get("password_hash")
        )
        for name, value in unique.items():
            if isinstance(value, str):
                found.owners[name][value] = user_id
