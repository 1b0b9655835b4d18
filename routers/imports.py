"""`/users/import` and `/users/imports`: files that become plans."""

from typing import Any

from fastapi import APIRouter, Request, Response, status

from app import imports
from app.core.errors import (
    BusyError,
    FileTooLargeError,
    ImportApplyingError,
    ImportNotAppliedError,
    ImportNotFoundError,
    ImportNotPlannedError,
    ImportRevertedError,
    InvalidError,
    MailOffError,
    MalformedFormError,
    TooLargeError,
    TooManyImportsError,
    UnreadableFileError,
    UnsupportedFileError,
    UnsupportedMediaTypeError,
    UploadStalledError,
)
from app.core.settings import IMPORT_MOST_BYTES
from app.http import import_replies, languages, replies
from app.http.dependencies import (
    Backends,
    ImportFileOptions,
    ImportId,
    ImportOptions,
    ImportPlanOptions,
    ImportViewer,
    Notify,
    PageOptions,
    Patience,
    Writer,
    query_parameters,
)
from app.http.problems import PAGED, PROTECTED, responses
from app.jobs import Viewer
from models.export import MEDIA_TYPES
from models.imports import ImportFileQuery, ImportList, ImportPlan, ImportPlanQuery, ImportQuery
from models.job import PageQuery

router = APIRouter(tags=["import"])

_BINARY = {"schema": {"format": "binary"}}  # no type: OpenAPI 3.1 knows a string as JSON's alone
_OPTIONS = {
    parameter["name"]: parameter["schema"] | {"description": parameter["description"]}
    for parameter in query_parameters(ImportQuery)["parameters"]
    if parameter["name"] != "filename"
}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "string",
                "format": "binary",
                "maxLength": IMPORT_MOST_BYTES,
            },  # a form's, as /docs knows it
            **_OPTIONS,
        },
        "additionalProperties": False,
        "examples": [
            {"file": "E-Mail;Stadt\r\nana@example.com;Berlin\r\n", "columns": "address1_city:Stadt"}
        ],
    }
}
_UPLOAD = query_parameters(ImportQuery) | {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _FORM,
            **dict.fromkeys((*MEDIA_TYPES.values(), "application/octet-stream"), _BINARY),
        },
    }
}
_WORKBOOK: dict[int | str, dict[str, Any]] = {
    200: {"description": "The workbook, streamed.", "content": {MEDIA_TYPES["xlsx"]: _BINARY}}
}


@router.post(
    "/users/import",
    status_code=status.HTTP_201_CREATED,
    response_model=ImportPlan,
    response_model_exclude_unset=True,
    summary="Plan the import of a file of users",
    openapi_extra=_UPLOAD,
    responses=responses(
        MalformedFormError,
        UploadStalledError,
        TooLargeError,
        FileTooLargeError,
        UnsupportedMediaTypeError,
        UnsupportedFileError,
        UnreadableFileError,
        InvalidError,
        TooManyImportsError,
        *PROTECTED,
    )
    | import_replies.PLANNED,
)
async def import_users(
    *,
    request: Request,
    caller: Writer,
    asked: ImportOptions,
    patience: Patience,
    opened: Backends,
    reply: Response,
) -> ImportPlan | Response:
    """Send the file as the body, or as `file` of a form. No user is changed before the plan is applied.

    A row finds its user by `id`, else by e-mail, else by username: the first of them that has a value. Fields
    without a column stay as they are; an empty cell removes the value. Only rows with yes in a column
    `delete` delete. The answer waits for the plan for ten seconds, or as `Prefer: wait` says.
    """
    opened.imports.check_room()
    limit = opened.settings.import_max_bytes
    kind = request.headers.get("content-type", "")
    encoding = request.headers.get("content-encoding", "identity")
    body = imports.receive(request.stream(), kind, encoding=encoding, limit=limit)
    async with opened.imports.receiving, body as upload:
        import_id, job = await opened.imports.submit(
            upload, imports.combine(asked, upload), by=caller.user_id, scopes=caller.scopes
        )
    viewer = Viewer(caller.user_id, is_admin=False)
    return await import_replies.wait(
        opened, import_id, job, viewer=viewer, patience=patience, reply=reply, status=201
    )


@router.get(
    "/users/imports",
    response_model_exclude_unset=True,
    summary="List imports",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_imports(viewer: ImportViewer, asked: PageOptions, opened: Backends) -> ImportList:
    """Your own, the newest first; with `users:admin` those of all users."""
    return import_replies.listed(await opened.imports.list_all(viewer, asked))


@router.get(
    "/users/imports/{import_id:oid}",
    response_model_exclude_unset=True,
    summary="Read an import and its rows",
    openapi_extra=query_parameters(ImportPlanQuery),
    responses=responses(ImportNotFoundError, *PAGED, *PROTECTED),
)
async def read_import(
    import_id: ImportId, viewer: ImportViewer, asked: ImportPlanOptions, opened: Backends, reply: Response
) -> ImportPlan:
    """The plan, or its result, row by row; follow `next` until it is null."""
    shown = await opened.imports.find(import_id, viewer)
    page = await opened.imports.page(shown.document, asked, with_cells=asked.cells == "true")
    return import_replies.plan(shown, page, reply)


@router.post(
    "/users/imports/{import_id:oid}/apply",
    response_model=ImportPlan,
    response_model_exclude_unset=True,
    summary="Apply an import",
    responses=responses(ImportNotFoundError, ImportNotPlannedError, MailOffError, InvalidError, *PROTECTED)
    | {
        202: {
            "model": ImportPlan,
            "description": "The import is being applied.",
            "headers": {**import_replies.PLACE, **import_replies.LATER},
        }
    },
)
async def apply_import(
    import_id: ImportId,
    viewer: ImportViewer,
    patience: Patience,
    opened: Backends,
    reply: Response,
    *,
    notify: Notify = "false",
) -> ImportPlan | Response:
    """Applies the plan, each row exactly once, even if processes are killed meanwhile.

    A user who was changed after the plan was made stays as they are: the row becomes a conflict, or unchanged
    if they already match the file. Applying an import again changes nothing; if its job was cancelled, it
    goes on. The answer waits for ten seconds, or as `Prefer: wait` says.
    """
    job = await opened.imports.begin(import_id, viewer, notify=notify == "true")
    return await import_replies.wait(
        opened, import_id, job, viewer=viewer, patience=patience, reply=reply, status=200
    )


@router.post(
    "/users/imports/{import_id:oid}/revert",
    status_code=status.HTTP_201_CREATED,
    response_model=ImportPlan,
    response_model_exclude_unset=True,
    summary="Plan the revert of an import",
    responses=responses(
        ImportNotFoundError,
        ImportApplyingError,
        ImportNotAppliedError,
        ImportRevertedError,
        InvalidError,
        *PROTECTED,
    )
    | import_replies.PLANNED,
)
async def revert_import(
    *,
    import_id: ImportId,
    caller: Writer,
    viewer: ImportViewer,
    patience: Patience,
    opened: Backends,
    reply: Response,
) -> ImportPlan | Response:
    """Makes a new import whose rows undo the applied ones. No user is changed before it is applied.

    The audit trail tells what was written. Created users are deleted if they were not changed since; changed
    users get their earlier values back, field by field. A field that was changed since is a conflict.
    Deletions, passwords and ended sessions stay, and so does what the trail no longer has, as the row's
    `errors` say. The answer waits for the plan for ten seconds, or as `Prefer: wait` says.
    """
    revert_id, job = await opened.imports.revert(import_id, viewer, by=caller.user_id, scopes=caller.scopes)
    return await import_replies.wait(
        opened, revert_id, job, viewer=viewer, patience=patience, reply=reply, status=201
    )


@router.get(
    "/users/imports/{import_id:oid}/rows.xlsx",
    response_class=Response,
    summary="Download the rows of an import with their results",
    openapi_extra=query_parameters(ImportFileQuery),
    responses=responses(ImportNotFoundError, ImportNotPlannedError, InvalidError, BusyError, *PROTECTED)
    | _WORKBOOK,
)
async def download_import(
    import_id: ImportId, viewer: ImportViewer, asked: ImportFileOptions, opened: Backends
) -> Response:
    """The file's own columns, then `status` and `error`: correct the errors, and import it again.

    `status=error` leaves other rows out. For an NDJSON object without a key the cell is empty, which removes
    the field when the workbook is imported.
    """
    shown = await opened.imports.find(import_id, viewer)
    chunks = await opened.imports.begin_sheet(shown.document, asked.status, languages.say_one)
    return replies.Download(chunks, media_type=MEDIA_TYPES["xlsx"], filename=f"import-{import_id}.xlsx")


@router.delete(
    "/users/imports/{import_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete an import",
    responses=responses(ImportNotFoundError, ImportApplyingError, InvalidError, *PROTECTED),
)
async def delete_import(import_id: ImportId, viewer: ImportViewer, opened: Backends) -> None:
    """Deletes its file, its plan and its rows. Applied changes stay."""
    await opened.imports.delete(import_id, viewer)
