"""Checks whether a directory is whole, for example after a restore; repairs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pymongo

from app import migrations
from app.container import Container
from app.core.errors import UnavailableError
from app.core.mongo import Database
from app.database import indexes
from app.users import phone_numbers
from app.users.rows import OLDEST
from models.file import BUCKETS
from models.user_schema import VALIDATOR

COUNTED = (
    "users", "audit", "keys", "clients", "invitations", "avatars", "imports", "import_rows", "jobs",
)  # fmt: skip
_NAMED = 20
_TIMES = ("created_at", "updated_at", "last_login_at")
_IN_CHUNKS: Mapping[str, Any] = {"length": {"$gt": 0}, "metadata.store": {"$ne": "s3"}}
_WRONG: Mapping[str, Any] = {
    "$or": [
        {"$nor": [VALIDATOR]},
        *({name: {"$lt": OLDEST}} for name in _TIMES),
        *({name: {"$gt": datetime.max}} for name in _TIMES),  # noqa: DTZ901 - BSON dates have no zone
    ]
}


@dataclass(frozen=True, slots=True)
class Findings:
    counts: dict[str, int]
    """Documents by collection, to be compared with the directory that was saved."""
    wrong: list[str]
    """A sentence for each problem."""


async def check(opened: Container, *, named: int = _NAMED) -> Findings:
    """Check everything; reads all users twice, in seconds for a hundred thousand, and names the first."""
    database = opened.connections.database
    counts = {name: await database[name].count_documents({}) for name in COUNTED}
    wrong = [
        *await migrations.check(database),
        *await indexes.check(database),
        *await _check_keys(opened, counts["keys"]),
        *await _check_users(opened, named),
        *await _check_phones(opened),
        *await opened.search.check(),
        *await _check_orphans(opened),
        *await _check_bucket(opened),
    ]
    return Findings(counts, wrong)


async def _check_keys(opened: Container, stored: int) -> list[str]:
    listed = await opened.auth.keyring.list()
    wrong = [f"{stored - len(listed)} signing keys cannot be read"] if stored > len(listed) else []
    if stored and not any(key.state == "signs" for key in listed):
        wrong.append(
            "no signing key opens under this ROSTER_SECRET_KEY (or the collection `secrets`): everybody "
            "would have to sign in again"
        )
    return wrong


async def _check_users(opened: Container, named: int) -> list[str]:
    """Users whom MongoDB would not take today, and those with a time outside the calendar of the API."""
    with pymongo.timeout(0):  # it reads all of them
        rows = await opened.connections.users.find(_WRONG, {"_id": 1}).sort("_id", 1).to_list()
    wrong = [f"user {row['_id']} has a field of a wrong type" for row in rows[:named]]
    return wrong + ([f"and {len(rows) - named} users more"] if len(rows) > named else [])


async def _check_phones(opened: Container) -> list[str]:
    """Phone numbers that a migration left as they are, as two users would share them."""
    old = (await phone_numbers.find_old(opened.connections.users)).values()
    return [
        f"users {', '.join(map(str, holders))} have the same phone number in several forms: keep it for one "
        "of them"
        if len(holders) > 1
        else f"user {holders[0]} has a phone number in an old form: set it again"
        for holders in list(old)[:_NAMED]
    ]


async def _check_orphans(opened: Container) -> list[str]:
    """Documents whose owner is missing, as after a dump that is not of one moment."""
    database = opened.connections.database
    found = await _without(database, "import_rows", "import", "imports")
    wrong = [f"rows of the import {_id} have no import" for _id in found]
    for bucket in BUCKETS.values():
        files, chunks = f"{bucket}.files", f"{bucket}.chunks"
        found = await _without(database, files, "_id", chunks, key="files_id", among=_IN_CHUNKS)
        wrong += [f"the file {_id} of {bucket} has no content" for _id in found]
        found = await _without(database, chunks, "files_id", files)
        wrong += [f"content of the file {_id} of {bucket} has no file" for _id in found]
    return wrong


async def _check_bucket(opened: Container) -> list[str]:
    try:
        wrong = await opened.files.check_bucket()
    except UnavailableError:
        return ["the bucket of ROSTER_FILES_URL cannot be read: the log has its reason"]
    return wrong[:_NAMED] + ([f"and {len(wrong) - _NAMED} files more"] if len(wrong) > _NAMED else [])


async def _without(
    database: Database,
    collection: str,
    field: str,
    other: str,
    *,
    key: str = "_id",
    among: Mapping[str, Any] = {},
) -> list[Any]:
    """Values of the field that are no key in the other collection."""
    one = [{"$limit": 1}, {"$project": {"_id": 1}}]
    joined = {"from": other, "localField": "_id", "foreignField": key, "pipeline": one, "as": "there"}
    pipeline: list[dict[str, Any]] = [
        {"$match": among},
        {"$group": {"_id": f"${field}"}},
        {"$lookup": joined},
        {"$match": {"there": []}},
        {"$limit": _NAMED},
    ]
    found = await (await database[collection].aggregate(pipeline)).to_list()
    return [document["_id"] for document in found]
