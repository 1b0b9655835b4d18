"""Imports as their owners and administrators see them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from bson import ObjectId
from pymongo import ASCENDING

from app.core import clock
from app.core.cursors import CursorSealer, Position
from app.core.errors import JobEndedError, JobNotFoundError
from app.core.mongo import Row
from app.core.paging import Page, cut, newest_first
from app.files import Files
from app.imports.import_records import Import, ImportRecords
from app.jobs import Job, Jobs, Viewer
from models.imports import MOST_VALUES, ImportRowsQuery, ImportState, RowStatus
from models.job import PageQuery

_SHOWN: Final = dict.fromkeys(("n", "row", "status", "user", "version", "differences", "errors"), 1) | {
    "_id": 0
}
_SAID: Final = {"said": {"$cond": [{"$in": ["$status", ["create", "created"]]}, "$said", "$$REMOVE"]}}
"""The projection of the values of rows that create."""
_UNDER_WAY: Final = frozenset({"planning", "applying"})


Settle = Callable[[Import], Awaitable[None]]
"""Finishes what a killed run has begun to apply."""


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import in its current state, which a running job knows better than the document."""

    document: Import
    state: ImportState
    job: Job | None
    """The running job, or one that failed."""


class Views:
    """Looks up imports, their plans and their rows."""

    def __init__(
        self, records: ImportRecords, files: Files, jobs: Jobs, cursors: CursorSealer, settle: Settle
    ) -> None:
        self.settle = settle
        self._records = records
        self._files = files
        self._jobs = jobs
        self._cursors = cursors

    async def find(self, import_id: ObjectId, viewer: Viewer) -> ImportView:
        """One import; the error of its absence: unknown, expired, or of another user."""
        return await self._show(await self._records.find(import_id, viewer))

    async def _show(self, document: Import) -> ImportView:
        state: ImportState = document["state"]
        if state not in _UNDER_WAY:
            return ImportView(document, state, None)
        if state == "applying":
            counts = await self._records.count(document["_id"])
            document = document | {"counts": counts}
        try:
            job = await self._jobs.find(document["plan_job" if state == "planning" else "apply_job"])
        except JobNotFoundError:  # it was deleted before the import
            return ImportView(document, "failed", None)
        if job.state in ("failed", "cancelled"):
            return ImportView(document, job.state, job)
        return ImportView(document, state, job)

    async def page(self, document: Import, asked: ImportRowsQuery, *, with_cells: bool = False) -> Page[Row]:
        """A page of rows in the order of the file; empty before the plan is complete."""
        if document["planned_at"] is None:
            return Page([], None)
        fingerprint = _fingerprint("import_rows", str(document["_id"]), sorted(asked.status))
        after = self._cursors.open(asked.cursor, fingerprint).value if asked.cursor is not None else 0
        shown = _SHOWN | _SAID | ({"cells": 1} if with_cells else {})
        found = await (
            self._records.rows.find(_of(document, asked.status, after), shown, hint=_index(asked.status))
            .sort("n", ASCENDING)
            .limit(asked.limit + 1)
            .to_list()
        )
        page = cut(
            found, asked.limit, lambda last: self._cursors.seal(Position(0, last["n"], None), fingerprint)
        )
        return Page(_show_values(page.items), page.next)

    async def walk(
        self, document: Import, statuses: Sequence[RowStatus], size: int
    ) -> AsyncGenerator[list[Row], None]:
        """Yields all rows of these statuses with their cells, in batches, each by a query of its own."""
        after = 0
        while True:
            found = await (
                self._records.rows.find(
                    _of(document, statuses, after), _SHOWN | {"cells": 1}, hint=_index(statuses)
                )
                .sort("n", ASCENDING)
                .limit(size)
                .to_list()
            )
            if not found:
                return
            yield found
            after = found[-1]["n"]

    async def list_all(self, viewer: Viewer, asked: PageQuery) -> Page[ImportView]:
        """A page of imports, the newest first."""
        found = await newest_first(self._records.imports, self._cursors, self._records.seen_by(viewer), asked)
        live = [document for document in found.items if document["expires_at"] > clock.now()]
        return Page([await self._show(document) for document in live], found.next)

    async def delete(self, import_id: ObjectId, viewer: Viewer) -> None:
        """Delete the plan, its rows and its file, and cancel planning; applied changes stay.

        An error while it is being applied: cancel that job first.
        """
        shown = await self.find(import_id, viewer)
        self.check_still(shown)
        await self.settle(shown.document)
        if shown.state == "planning" and shown.job is not None:
            await self._cancel(shown.job)
        deleted = await self._records.imports.delete_one(
            {"_id": import_id, "state": {"$in": [shown.document["state"], "planned"]}}
        )
        if not deleted.deleted_count:
            raise self._records.kind.applying("It was applied at the same time.")
        await self._records.delete_rows(import_id)
        if shown.document["file"] is not None:
            await self._files.delete("imports", shown.document["file"]["id"])

    async def cancel(self, import_id: ObjectId, viewer: Viewer) -> ImportView:
        """Cancel the job that plans or applies it; what it did stays done.

        JobEndedError if none is at work.
        """
        shown = await self.find(import_id, viewer)
        if shown.state == "cancelled":
            return shown
        if shown.state not in _UNDER_WAY or shown.job is None:
            raise JobEndedError(f"It is {shown.state}: no job is at work.")
        job = await self._jobs.cancel(str(shown.job.id))
        if job.has_ended:  # no run will settle what a killed one has begun
            await self.settle(shown.document)
        return await self.find(import_id, viewer)

    def check_still(self, shown: ImportView) -> None:
        """An error while it is being applied."""
        if shown.state == "applying":
            raise self._records.kind.applying("It is being applied: wait for its job, or cancel it first.")

    async def _cancel(self, job: Job) -> None:
        try:
            await self._jobs.cancel(str(job.id))
        except JobEndedError:
            return


def _show_values(rows: list[Row]) -> list[Row]:
    """The rows, of which the first that create get `values`."""
    left = MOST_VALUES
    for row in rows:
        said = row.pop("said", None)
        row["values"] = _fill(said) if said is not None and left > 0 else None
        left -= said is not None
    return rows


def _fill(value: Any) -> Any:
    """The value without its empty parts."""
    if isinstance(value, dict):
        return {name: filled for name, each in value.items() if (filled := _fill(each)) not in (None, [], {})}
    return [_fill(each) for each in value] if isinstance(value, list) else value


def _of(document: Import, statuses: Sequence[RowStatus], after: int) -> dict[str, Any]:
    chosen = {"status": {"$in": sorted(set(statuses))}} if statuses else {}
    return {"import": document["_id"], "n": {"$gt": after}} | chosen


def _index(statuses: Sequence[RowStatus]) -> str:
    return "status" if statuses else "n"


def _fingerprint(*parts: Any) -> bytes:
    return orjson.dumps(parts)
