"""Whether a directory is whole, as after it was restored: what is looked at is never mended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import migrations
from app.container import Container
from app.core.mongo import Database
from app.database import indexes
from app.database.stored_files import BUCKETS
from app.search import upkeep
from app.users import phone_numbers
from app.users.selections import choose

COUNTED = ("users", "audit", "keys", "clients", "invitations", "imports", "import_rows", "jobs")
_TOGETHER = 1_000
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Findings:
    counts: dict[str, int]
    """Of documents, by collection: to be compared with those of the directory that was saved."""
    wrong: list[str]
    """A sentence each; nothing when all is well."""


async def check(opened: Container) -> Findings:
    """Reads all users twice: seconds for a hundred thousand."""
    database = opened.database
    counts = {name: await database[name].count_documents({}) for name in COUNTED}
    wrong = [
        *await migrations.check(database),
        *await indexes.check(database),
        *await _check_keys(opened, counts["keys"]),
        *await _check_users(opened),
        *await _check_phones(opened),
        *await upkeep.check(opened.users),
        *await _check_orphans(opened),
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


async def _check_users(opened: Container) -> list[str]:
    projection, reader = choose(None)
    wrong: list[str] = []
    last: dict[str, Any] = {}
    while rows := await opened.users.find(last, projection).sort("_id", 1).limit(_TOGETHER).to_list():
        last = {"_id": {"$gt": rows[-1]["_id"]}}
        ids = [row["_id"] for row in rows]
        sound = {row["_id"] for row in reader.sound(rows)}
        wrong += [f"user {_id} holds a field of a wrong type" for _id in ids if _id not in sound]
    return wrong[:_NAMED] + ([f"and {len(wrong) - _NAMED} users more"] if len(wrong) > _NAMED else [])


async def _check_phones(opened: Container) -> list[str]:
    """Those that a migration left as they are, as two users would share them."""
    old = (await phone_numbers.find_old(opened.users)).values()
    return [
        f"users {', '.join(map(str, holders))} hold one phone number in several forms: keep it with one"
        if len(holders) > 1
        else f"user {holders[0]} holds a phone number in another form than today's: set it again"
        for holders in list(old)[:_NAMED]
    ]


async def _check_orphans(opened: Container) -> list[str]:
    """What belongs to something that is not there, as after a dump of no one moment.

    Of a service that runs, an upload under way is such, too.
    """
    database = opened.database
    found = await _without(database, "import_rows", "import", "imports")
    wrong = [f"rows of the import {_id} are there without it" for _id in found]
    for bucket in BUCKETS:
        files, chunks = f"{bucket}.files", f"{bucket}.chunks"
        found = await _without(database, files, "_id", chunks, key="files_id", among={"length": {"$gt": 0}})
        wrong += [f"the file {_id} of {bucket} has no content" for _id in found]
        found = await _without(database, chunks, "files_id", files)
        wrong += [f"content of the file {_id} of {bucket} is there without it" for _id in found]
    return wrong


async def _without(
    database: Database,
    collection: str,
    field: str,
    other: str,
    *,
    key: str = "_id",
    among: Mapping[str, Any] = {},
) -> list[Any]:
    """The values of the field that no document of the other collection has as its key."""
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
