"""Finds why rows could not be applied as planned, for many at once."""

from collections.abc import Iterator, Sequence
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne

from app.core.errors import PreconditionFailedError, RosterError, UniqueConflictError, UserNotFoundError
from app.core.mongo import Collection, Row
from app.core.normalise import canonical, email_key
from app.imports.import_records import wrong
from app.users import user_records
from models.user import UserInput

_WANTED = user_records.PUBLIC | {"keys": 1, "credentials.password_hash": 1}
_CLAIMS = {"keys.email": "email", "keys.username": "username", "phone": "phone"}
"""The paths of unique values, each with its field."""

_Claims = dict[tuple[str, str], Row]
"""The user of each unique value, by path and value."""


async def settle(
    users: Collection, rows: Collection, import_id: ObjectId, refused: Sequence[Row], columns: Sequence[Row]
) -> None:
    """Make rows with nothing left to do unchanged, and clashing rows conflicts.

    The others stay as they are: the reason is gone, and they can be tried again.
    """
    holders = await _find(users, refused)
    by_id = {user["_id"]: user for user in holders}
    claims = {claim: user for user in holders for claim in _claims(user)}
    headings = {column["field"]: column["heading"] for column in columns if column.get("field")}
    verdicts = [(row, _judge(row, by_id, claims, headings)) for row in refused]
    changes = [
        UpdateOne(_pending(import_id, row), {"$set": verdict})
        for row, verdict in verdicts
        if verdict is not None
    ]
    if changes:
        await rows.bulk_write(changes, ordered=False)


async def refuse(rows: Collection, import_id: ObjectId, row: Row, error: RosterError) -> None:
    """Make a row that will fail at every try a conflict."""
    await rows.update_one(_pending(import_id, row), {"$set": _conflict(type(error), error.detail)})


def _pending(import_id: ObjectId, row: Row) -> dict[str, Any]:
    return {"import": import_id, "n": row["n"], "status": row["status"]}


async def _find(users: Collection, refused: Sequence[Row]) -> list[Row]:
    wanted: dict[str, list[Any]] = {"_id": [row["user"] for row in refused]}
    for row in refused:
        for path, value in _unique_values(row):
            wanted.setdefault(path, []).append(value)
    strings = {path: {"$in": values, "$type": "string"} for path, values in wanted.items() if path != "_id"}
    either = [{"_id": {"$in": wanted["_id"]}}, *({path: values} for path, values in strings.items())]
    return await users.find({"$or": either}, _WANTED).to_list()


def _unique_values(row: Row) -> Iterator[tuple[str, str]]:
    """The unique values that the row sets."""
    said = row.get("said")
    if said is None:
        return
    yield "keys.email", email_key(said["email"])
    if said["username"]:
        yield "keys.username", canonical(said["username"])
    if said["phone"]:
        yield "phone", said["phone"]


def _claims(user: Row) -> Iterator[tuple[str, str]]:
    keys = user.get("keys") or {}
    for path, value in (
        ("keys.email", keys.get("email")),
        ("keys.username", keys.get("username")),
        ("phone", user.get("phone")),
    ):
        if isinstance(value, str):
            yield path, value


def _judge(
    row: Row, by_id: dict[ObjectId, Row], claims: _Claims, headings: dict[str, str]
) -> dict[str, Any] | None:
    user = by_id.get(row["user"])
    if row["status"] == "delete" and user is None:
        return _unchanged(row["user"])
    if row["status"] == "create":
        return _judge_holders(row, _holders(row, claims), headings)
    if user is None:
        return _conflict(UserNotFoundError, "The user was deleted after the plan was made.")
    if row["status"] == "update" and row["said"] is not None and _is_as_said(user, row):
        return _unchanged(user["_id"])
    if user["version"] != row["version"]:
        return _conflict(
            PreconditionFailedError,
            f"The user was changed after the plan was made: from version {row['version']} to "
            f"{user['version']}.",
        )
    return _judge_holders(row, _holders(row, claims), headings)


def _holders(row: Row, claims: _Claims) -> dict[str, Row]:
    """Other users with the row's unique values, by field."""
    own = row["user"] if row["status"] == "update" else None
    found = {_CLAIMS[path]: claims.get((path, value)) for path, value in _unique_values(row)}
    return {field: user for field, user in found.items() if user is not None and user["_id"] != own}


def _judge_holders(row: Row, holders: dict[str, Row], headings: dict[str, str]) -> dict[str, Any] | None:
    if not holders:
        return None
    first, *others = {user["_id"]: user for user in holders.values()}.values()
    if row["status"] == "create" and not others and _is_as_said(first, row):
        return _unchanged(first["_id"])
    errors = [
        wrong(
            UniqueConflictError.code,
            f"This {field} belongs to another user.",
            pointer=f"/{field}",
            column=headings.get(field),
        )
        for field in holders
    ]
    return {"status": "conflict", "errors": errors}


def _is_as_said(user: Row, row: Row) -> bool:
    hashed = row.get("password_hash")
    held = (user.get("credentials") or {}).get("password_hash")
    said = {name: user.get(name) for name in UserInput.model_fields}
    return bool(said == row["said"]) and hashed in {None, held}


def _unchanged(user_id: ObjectId) -> dict[str, Any]:
    return {"status": "unchanged", "user": user_id, "differences": []}


def _conflict(kind: type[RosterError], detail: str) -> dict[str, Any]:
    return {"status": "conflict", "errors": [wrong(kind.code, detail)]}
