"""What is kept of an import: its collections, their documents and indexes, and how its rows are counted.

`imports`: `{_id, by (the caller's id), scopes (of his token, which the jobs act under), file {name, format,
bytes, sha256, encoding, delimiter, sheet, other_sheets, hidden_rows, id (in GridFS)}, reading (the
options as asked), heading, columns [{heading, field, use}], mapping (as asked), state, attempt (of
planning), rows, counts {status: number}, reverts (of a revert, which has no file, the import that it
undoes), revert (the import that undoes this one), plan_job, apply_job, created_at, planned_at, applied_at,
expires_at}`.

`import_rows`: `{_id, import, attempt, n (1, 2, …), row (its number in the file), cells (as read, a password
hash blanked; of NDJSON the object), status, user (the target; of a create, the id that the user gets),
version (that the plan was made on; none of a create), said (the whole UserInput dumped, of a create or an
update), differences [{pointer, from, to}], errors [{code, detail, pointer, column}], password_hash (only
where one is to be set), expires_at}`.

A pending row changes its status in the transaction that writes its user, and never otherwise.
"""

from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId
from pymongo import DESCENDING

from app.core.errors import ImportNotFoundError
from app.core.mongo import BSON, Collection, Database
from app.jobs import Viewer
from models.imports import STATUSES

Import = dict[str, Any]

FILES: Final = "import_files"
"""The GridFS bucket of the files, each with `metadata.expires_at`."""
_DELETED: Final = 5_000


def imports(database: Database) -> Collection:
    return database["imports"].with_options(codec_options=BSON)


def rows(database: Database) -> Collection:
    return database["import_rows"].with_options(codec_options=BSON)


def audit(database: Database) -> Collection:
    """The audit trail, for what imports wrote."""
    return database["audit"].with_options(codec_options=BSON)


async def read(database: Database, import_id: ObjectId) -> Import:
    """The import, until it expires; ImportNotFoundError."""
    return _known(await imports(database).find_one({"_id": import_id}))


async def find(database: Database, import_id: ObjectId, viewer: Viewer) -> Import:
    """The import for who made it, or for an administrator; for others there is none."""
    return _known(await imports(database).find_one({"_id": import_id, **viewer.filter}))


async def count(database: Database, import_id: ObjectId) -> dict[str, int]:
    """How many rows there are of each status, by an index alone."""
    grouped = await rows(database).aggregate(
        [
            {"$match": {"import": import_id}},
            {"$project": {"_id": 0, "status": 1}},
            {"$group": {"_id": "$status", "count": {"$sum": 1}}},
        ],
        hint="status",
    )
    return nothing() | {group["_id"]: group["count"] async for group in grouped}


async def delete_rows(database: Database, import_id: ObjectId, *, before: int | None = None) -> None:
    """All rows, or those of attempts before this one; some at a time, so that no call takes long."""
    of_import: dict[str, Any] = {"import": import_id}
    last = await rows(database).find_one(of_import, {"n": 1}, sort={"n": DESCENDING}, hint="n")
    which = of_import | ({"attempt": {"$lt": before}} if before is not None else {})
    for start in range(0, last["n"] if last else 0, _DELETED):
        await rows(database).delete_many(which | {"n": {"$gt": start, "$lte": start + _DELETED}}, hint="n")


def nothing() -> dict[str, int]:
    """The counts of no rows."""
    return dict.fromkeys(STATUSES, 0)


def wrong(
    code: str, detail: str, *, pointer: str | None = None, column: str | None = None
) -> dict[str, str | None]:
    """One entry of a row's `errors`."""
    return {"code": code, "detail": detail, "pointer": pointer, "column": column}


def _known(found: Import | None) -> Import:
    # MongoDB takes away what is due about once a minute; and BSON decodes naive, in UTC.
    if found is None or found["expires_at"] <= datetime.now(UTC).replace(tzinfo=None):
        raise _missing()
    return found


def _missing() -> ImportNotFoundError:
    return ImportNotFoundError("There is no import with this id, or no longer.")
