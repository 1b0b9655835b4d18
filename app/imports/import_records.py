"""Stored imports: their collections and documents, and the counts of their rows."""

from typing import Any, Final

from bson import ObjectId
from pymongo import DESCENDING

from app.core.clock import now
from app.core.errors import ImportNotFoundError
from app.core.mongo import AWARE, BSON, Database
from app.jobs import Viewer
from models.imports import STATUSES

Import = dict[str, Any]

_DELETED: Final = 5_000


class ImportRecords:
    """The collections of imports; by the driver, as a plan writes hundreds of thousands of rows."""

    def __init__(self, database: Database) -> None:
        self.imports = database.get_collection("imports", codec_options=AWARE)
        self.rows = database["import_rows"].with_options(codec_options=BSON)
        self.trail = database["audit"].with_options(codec_options=BSON)

    async def read(self, import_id: ObjectId) -> Import:
        """The import, until it expires; otherwise ImportNotFoundError."""
        return _known(await self.imports.find_one({"_id": import_id}))

    async def find(self, import_id: ObjectId, viewer: Viewer) -> Import:
        """The import, for its owner or an administrator; otherwise ImportNotFoundError."""
        return _known(await self.imports.find_one({"_id": import_id, **viewer.filter}))

    async def count(self, import_id: ObjectId) -> dict[str, int]:
        """The number of rows of each status, by an index alone."""
        grouped = await self.rows.aggregate(
            [
                {"$match": {"import": import_id}},
                {"$project": {"_id": 0, "status": 1}},
                {"$group": {"_id": "$status", "count": {"$sum": 1}}},
            ],
            hint="status",
        )
        return nothing() | {group["_id"]: group["count"] async for group in grouped}

    async def delete_rows(self, import_id: ObjectId, *, before: int | None = None) -> None:
        """Delete all rows, or those of earlier attempts; in parts, so that no call takes long."""
        of_import: dict[str, Any] = {"import": import_id}
        last = await self.rows.find_one(of_import, {"n": 1}, sort={"n": DESCENDING}, hint="n")
        which = of_import | ({"attempt": {"$lt": before}} if before is not None else {})
        for start in range(0, last["n"] if last else 0, _DELETED):
            await self.rows.delete_many(which | {"n": {"$gt": start, "$lte": start + _DELETED}}, hint="n")


def nothing() -> dict[str, int]:
    """The counts of no rows."""
    return dict.fromkeys(STATUSES, 0)


def wrong(
    code: str, detail: str, *, pointer: str | None = None, column: str | None = None
) -> dict[str, str | None]:
    """One entry of a row's `errors`."""
    return {"code": code, "detail": detail, "pointer": pointer, "column": column}


def _known(found: Import | None) -> Import:
    if found is None or found["expires_at"] <= now():  # MongoDB deletes them about once a minute
        raise _missing()
    return found


def _missing() -> ImportNotFoundError:
    return ImportNotFoundError("There is no import with this id, or it has expired.")
