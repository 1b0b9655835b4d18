"""Stored imports and bulk changes: their collections and documents, and the counts of their rows."""

from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId
from pymongo import DESCENDING

from app.audit.write import Author
from app.core.clock import now
from app.core.errors import (
    BulkApplyingError,
    BulkNotAppliedError,
    BulkNotFoundError,
    BulkNotPlannedError,
    BulkRevertedError,
    ImportApplyingError,
    ImportNotAppliedError,
    ImportNotFoundError,
    ImportNotPlannedError,
    ImportRevertedError,
    RosterError,
)
from app.core.mongo import AWARE, BSON, Database
from app.jobs import Viewer
from models.audit import Via
from models.imports import STATUSES
from models.job import JobKind

Import = dict[str, Any]

_DELETED: Final = 5_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What a plan is of: where callers find it, what its jobs are called, and its errors."""

    path: str
    via: Via
    plan_job: JobKind
    apply_job: JobKind
    chosen: Any
    """What the `bulk` of such a document is."""
    not_found: type[RosterError]
    not_planned: type[RosterError]
    not_applied: type[RosterError]
    reverted: type[RosterError]
    applying: type[RosterError]


IMPORT: Final = Kind(
    "/users/imports", "import", "import_plan", "import_apply", None,
    ImportNotFoundError, ImportNotPlannedError, ImportNotAppliedError, ImportRevertedError,
    ImportApplyingError,
)  # fmt: skip
BULK: Final = Kind(
    "/users/bulk", "bulk", "bulk_plan", "bulk_apply", {"$type": "object"},
    BulkNotFoundError, BulkNotPlannedError, BulkNotAppliedError, BulkRevertedError, BulkApplyingError,
)  # fmt: skip


def kind_of(document: Import) -> Kind:
    return BULK if document.get("bulk") else IMPORT


def path_of(document: Import) -> str:
    return f"{kind_of(document).path}/{document['_id']}"


def author_of(document: Import) -> Author:
    """Who applies it, for the audit trail."""
    return Author(document["by"], via=kind_of(document).via, import_id=document["_id"])


class ImportRecords:
    """The collections of imports; by the driver, as a plan writes hundreds of thousands of rows."""

    def __init__(self, database: Database, kind: Kind = IMPORT) -> None:
        """`kind`: of those that callers find."""
        self.kind = kind
        self.imports = database.get_collection("imports", codec_options=AWARE)
        self.rows = database["import_rows"].with_options(codec_options=BSON)
        self.trail = database["audit"].with_options(codec_options=BSON)

    async def read(self, import_id: ObjectId) -> Import:
        """The import of any kind, until it expires; otherwise the error of its absence."""
        return self._known(await self.imports.find_one({"_id": import_id}))

    async def find(self, import_id: ObjectId, viewer: Viewer) -> Import:
        """The import, for its owner or an administrator; otherwise the error of its absence."""
        return self._known(await self.imports.find_one({"_id": import_id, **self.seen_by(viewer)}))

    def seen_by(self, viewer: Viewer) -> dict[str, Any]:
        """The filter of what a caller sees."""
        return viewer.filter | {"bulk": self.kind.chosen}

    def _known(self, found: Import | None) -> Import:
        if found is None or found["expires_at"] <= now():  # MongoDB deletes them about once a minute
            raise self.kind.not_found("There is no import or bulk change with this id, or it has expired.")
        return found

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
