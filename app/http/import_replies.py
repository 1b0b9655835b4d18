"""Replies about imports."""

from typing import Any

from bson import ObjectId
from fastapi import Response

from app.bulk import Bulk
from app.core.mongo import Row
from app.core.paging import Page
from app.http import languages, replies
from app.http.dependencies import Backends
from app.http.problems import ProblemResponse
from app.imports import Imports, ImportView
from app.imports.import_records import path_of
from app.jobs import Job, Jobs, Viewer
from app.spreadsheets.reading.values import UNREAD
from models.imports import (
    ImportFile,
    ImportList,
    ImportOutput,
    ImportPlan,
    ImportPlanRow,
    ImportRow,
    ImportRowsQuery,
)

_FILE = tuple(ImportFile.model_fields)
_STORED = (
    "columns", "rows", "counts", "plan_job", "apply_job", "created_at", "planned_at", "applied_at",
    "expires_at",
)  # fmt: skip
_OF_ROW = ("row", "status", "differences", "values")
_PATIENCE_S = 10.0
PLACE = {
    "Location": {
        "description": "The path of the plan.",
        "schema": {"type": "string", "format": "uri-reference", "maxLength": 64},
    }
}
LATER = {
    "Retry-After": {
        "description": "Seconds after which to look again.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 60},
    }
}
PLANNED: dict[int | str, dict[str, Any]] = {
    201: {"headers": PLACE},
    202: {
        "model": ImportPlan,
        "description": "The plan is in progress.",
        "headers": {**PLACE, **LATER},
    },
}
"""The replies of an operation that plans, for OpenAPI."""
Waited = tuple[ImportView, Page[Row], bool] | Response


async def wait(
    opened: Backends,
    import_id: ObjectId,
    job: Job | None,
    *,
    viewer: Viewer,
    patience: float | None,
    reply: Response,
    status: int,
) -> ImportPlan | Response:
    """The import once its job has ended, or with 202 if that takes longer."""
    found = await look(opened.imports, opened.jobs, import_id, job, viewer=viewer, patience=patience)
    if isinstance(found, Response):
        return found
    shown, page, has_ended = found
    return plan(shown, page, reply, status=status if has_ended else 202)


async def look(
    noun: Imports | Bulk,
    jobs: Jobs,
    plan_id: ObjectId,
    job: Job | None,
    *,
    viewer: Viewer,
    patience: float | None,
) -> Waited:
    """The plan, its first rows, and whether its job has ended; or why there is no plan."""
    if job is not None:
        job = await jobs.wait(str(job.id), _PATIENCE_S if patience is None else patience)
        if (refusal := failed(job)) is not None:
            return refusal
    shown = await noun.find(plan_id, viewer)
    return shown, await noun.page(shown.document, ImportRowsQuery()), job is None or job.has_ended


def plan(shown: ImportView, page: Page[Row], reply: Response, *, status: int = 200) -> ImportPlan:
    """The import with these rows; with Location if it is new or not planned yet."""
    place(shown.document, reply, status)
    columns = shown.document["columns"] if shown.document["file"] is not None else []
    headings = [column["heading"] for column in columns]
    items = [ImportPlanRow(**_describe_row(row), **_write_cells(row, headings)) for row in page.items]
    return ImportPlan(**_describe(shown), items=items, next=page.next)


def place(document: Row, reply: Response, status: int) -> None:
    """The status, and where the import or bulk change is if it is new or not planned yet."""
    reply.status_code = status
    if status != 200:  # noqa: PLR2004 - statuses say more than their names
        reply.headers["Location"] = path_of(document)
    if status == 202:  # noqa: PLR2004 - statuses say more than their names
        reply.headers["Retry-After"] = "1"


def failed(job: Job) -> Response | None:
    """Why there is no plan, as the error that the upload would have had."""
    problem = replies.problem(job) if job.state == "failed" else None
    if problem is None:
        return None
    return ProblemResponse(problem.model_dump_json(exclude_unset=True), problem.status)


def listed(found: Page[ImportView]) -> ImportList:
    items = [ImportOutput(**_describe(shown)) for shown in found.items]
    return ImportList(items=items, next=found.next)


def _describe(shown: ImportView) -> dict[str, Any]:
    document, file = shown.document, shown.document["file"]
    return {name: document[name] for name in _STORED} | {
        "id": str(document["_id"]),
        "state": shown.state,
        "file": file and {name: file.get(name) for name in _FILE},
        "reverts": str(reverts) if (reverts := document.get("reverts")) is not None else None,
        "problem": None if shown.job is None else replies.problem(shown.job),
        "created_by": document["by"],
    }


def describe_row(row: Row) -> ImportRow:
    return ImportRow(**_describe_row(row))


def _describe_row(row: Row) -> dict[str, Any]:
    is_nobody = row["status"] in ("conflict", "error") and row["version"] is None  # nobody gets the id
    user = None if row["user"] is None or is_nobody else str(row["user"])
    errors = [{**bad, "detail": languages.say_one(bad["detail"])} for bad in row["errors"]]
    return {name: row[name] for name in _OF_ROW} | {"id": user, "errors": errors}


def _write_cells(row: Row, headings: list[str]) -> dict[str, Any]:
    """The row's cells as texts, where they were asked for; none of what has no such."""
    if "cells" not in row:
        return {}
    cells = row["cells"]
    if not headings or not isinstance(cells, list):
        return {"cells": None}
    unread = {bad["column"] for bad in row["errors"] if bad["code"] in UNREAD}
    pairs = zip(headings, cells, strict=True)
    return {"cells": [None if heading in unread or cell is None else str(cell) for heading, cell in pairs]}
