"""`/users/exports`: files of users that jobs make and that can be downloaded for a while."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, status

from app.core.errors import (
    BusyError,
    ExportNotFoundError,
    ExportNotReadyError,
    InvalidError,
    MailOffError,
    RangeNotSatisfiableError,
)
from app.http import job_replies
from app.http.dependencies import (
    Backends,
    Exporter,
    ExportId,
    ExportViewer,
    PageOptions,
    Patience,
    WantedBytes,
    query_parameters,
)
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from models.export import MEDIA_TYPES
from models.export_job import ExportBody, ExportOutput, ExportPage
from models.job import PageQuery

router = APIRouter(tags=["export"], route_class=JsonRoute)

_SUBMITTED: dict[int | str, dict[str, Any]] = {
    201: {
        "model": ExportOutput,
        "description": "The file is ready already, for example with `Prefer: wait=10`.",
    },
    202: {"model": ExportOutput, "description": "A job makes the file; `Location` names the export."},
}
_BINARY = {media_type: {"schema": {"format": "binary"}} for media_type in MEDIA_TYPES.values()}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": _BINARY},
    206: {"description": "The requested range of the file.", "content": _BINARY},
    304: {"description": "If-None-Match names this file."},
    307: {
        "description": "The file is in the operator's bucket.",
        "headers": {
            "Location": {
                "description": "Where it is, for a minute.",
                "schema": {"type": "string", "format": "uri", "maxLength": 8192},
            }
        },
    },
}


@router.post(
    "/users/exports",
    status_code=status.HTTP_202_ACCEPTED,
    response_model_exclude_unset=True,
    summary="Let a job export users",
    responses=responses(BusyError, MailOffError, *BODY, *PROTECTED) | _SUBMITTED,
)
async def submit_export(
    *,
    asked: ExportBody,
    caller: Exporter,
    viewer: ExportViewer,
    patience: Patience,
    opened: Backends,
    reply: Response,
) -> ExportOutput:
    """The body has the parameters of a download's query. The file can be downloaded until it expires."""
    made = await opened.exports.submit(asked, by=caller.user_id)
    if patience:
        await opened.jobs.wait(made.document["job"], patience)
        made = await opened.exports.find(made.document["_id"], viewer)
    return job_replies.submitted(made, patience, reply)


@router.get(
    "/users/exports",
    response_model_exclude_unset=True,
    summary="Exports, the newest first",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_exports(asked: PageOptions, viewer: ExportViewer, opened: Backends) -> ExportPage:
    """Your own; with `users:admin` those of all users."""
    found = await opened.exports.page(asked, viewer)
    return ExportPage(items=list(map(job_replies.export, found.items)), next=found.next)


@router.get(
    "/users/exports/{export_id:oid}",
    response_model_exclude_unset=True,
    summary="The manifest of an export",
    responses=responses(ExportNotFoundError, InvalidError, *PROTECTED),
)
async def read_export(export_id: ExportId, viewer: ExportViewer, opened: Backends) -> ExportOutput:
    """The contents of the file, or the state of its job."""
    return job_replies.export(await opened.exports.find(export_id, viewer))


@router.get(
    "/users/exports/{export_id:oid}/file",
    response_class=Response,
    summary="The file of an export",
    responses=responses(
        ExportNotFoundError, ExportNotReadyError, RangeNotSatisfiableError, InvalidError, *PROTECTED
    )
    | _FILE,
)
async def download_export(
    export_id: ExportId,
    viewer: ExportViewer,
    opened: Backends,
    wanted: WantedBytes,
    *,
    direct: Annotated[
        Literal["true", "false"],
        Query(description="`false`: never a redirect, for clients that do not follow one."),
    ] = "true",
) -> Response:
    """To resume a download, send `Range`, and `If-Range` with its `ETag`.

    Where the operator has set `ROSTER_FILES_DIRECT`, the reply is a redirect to the file in their bucket, by
    a URL that is good for a minute and needs no token: do not send yours along.
    """
    export = await opened.exports.find(export_id, viewer)
    file = await opened.exports.open_file(export)
    return await job_replies.stored_file(file, export, wanted, is_direct=direct == "true")


@router.delete(
    "/users/exports/{export_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete an export and its file",
    responses=responses(ExportNotFoundError, InvalidError, *PROTECTED),
)
async def delete_export(export_id: ExportId, viewer: ExportViewer, opened: Backends) -> None:
    """Its job is cancelled if it still runs."""
    await opened.exports.delete(export_id, viewer)
