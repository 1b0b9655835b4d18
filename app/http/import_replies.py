"""Replies about imports."""

from typing import Any

from fastapi import Response

from app.core.mongo import Row
from app.core.paging import Page
from app.http import replies
from app.http.problems import ProblemResponse
from app.imports import ImportView
from app.jobs import Job
from models.imports import ImportFile

_FILE = tuple(ImportFile.model_fields)


def plan(shown: ImportView, page: Page[Row], *, status: int = 200) -> Response:
    """The import with these rows; with Location if it is new or not planned yet."""
    headers = {} if status == 200 else {"Location": f"/users/imports/{shown.document['_id']}"}  # noqa: PLR2004 - as below
    if status == 202:  # noqa: PLR2004 - statuses say more than their names
        headers["Retry-After"] = "1"
    rows = {"items": [_describe_row(row) for row in page.items], "next": page.next}
    return replies.plain(_describe(shown) | rows, status=status, headers=headers)


def failed(job: Job) -> Response | None:
    """Why there is no plan, as the error that the upload would have had."""
    problem = replies.problem(job) if job.state == "failed" else None
    if problem is None or job.error is None:
        return None
    return ProblemResponse(replies.plain(problem).body, job.error["status"])


def listed(found: Page[ImportView]) -> Response:
    return replies.plain({"items": [_describe(shown) for shown in found.items], "next": found.next})


def _describe(shown: ImportView) -> dict[str, Any]:
    document, file = shown.document, shown.document["file"]
    return {
        "id": str(document["_id"]),
        "state": shown.state,
        "file": file and {name: file.get(name) for name in _FILE},
        "reverts": str(reverts) if (reverts := document.get("reverts")) is not None else None,
        "columns": document["columns"],
        "rows": document["rows"],
        "counts": document["counts"],
        "problem": replies.problem(shown.job) if shown.job is not None else None,
        "plan_job": document["plan_job"],
        "apply_job": document["apply_job"],
        "created_by": document["by"],
        **{name: document[name] for name in ("created_at", "planned_at", "applied_at", "expires_at")},
    }


def _describe_row(row: dict[str, Any]) -> dict[str, Any]:
    is_nobody = row["status"] in ("conflict", "error") and row["version"] is None  # nobody gets the id
    return {
        "row": row["row"],
        "status": row["status"],
        "id": None if row["user"] is None or is_nobody else str(row["user"]),
        "differences": row["differences"],
        "values": row["values"],
        "errors": row["errors"],
    }
