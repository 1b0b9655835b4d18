"""`/users/imports/uploads`: files of imports that clients send straight to the operator's bucket."""

from fastapi import APIRouter, Response, status

from app.core.errors import (
    DirectUploadsOffError,
    FileTooLargeError,
    ImportNotFoundError,
    InvalidError,
    TooLargeError,
    TooManyImportsError,
    UnreadableFileError,
    UnsupportedFileError,
    UploadDiffersError,
    UploadNotFoundError,
    UploadNotReadyError,
)
from app.http import import_replies, replies
from app.http.dependencies import Backends, ImportOptions, Patience, UploadId, Writer, query_parameters
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PROTECTED, responses
from app.jobs import Viewer
from models.imports import ImportPlan, ImportQuery
from models.upload import UploadInput, UploadOutput

router = APIRouter(tags=["import"], route_class=JsonRoute, prefix="/users/imports/uploads")


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Announce a file that is uploaded to the bucket",
    responses=responses(DirectUploadsOffError, TooLargeError, TooManyImportsError, *BODY, *PROTECTED),
)
async def announce_upload(announced: UploadInput, caller: Writer, opened: Backends) -> UploadOutput:
    """Where `ROSTER_FILES_DIRECT` is set: send the file by PUT to the URL of the reply, then complete it.

    What is never completed is deleted a day later.
    """
    return replies.upload(*await opened.imports.offer_upload(announced, by=caller.user_id))


@router.post(
    "/{upload_id:oid}/complete",
    status_code=status.HTTP_201_CREATED,
    response_model=ImportPlan,
    response_model_exclude_unset=True,
    summary="Plan the import of a file that was uploaded to the bucket",
    openapi_extra=query_parameters(ImportQuery),
    responses=responses(
        UploadNotFoundError,
        UploadNotReadyError,
        UploadDiffersError,
        DirectUploadsOffError,
        ImportNotFoundError,
        TooLargeError,
        FileTooLargeError,
        UnsupportedFileError,
        UnreadableFileError,
        InvalidError,
        TooManyImportsError,
        *PROTECTED,
    )
    | import_replies.PLANNED,
)
async def complete_upload(
    *,
    upload_id: UploadId,
    caller: Writer,
    asked: ImportOptions,
    patience: Patience,
    opened: Backends,
    reply: Response,
) -> ImportPlan | Response:
    """The file is read, checked and planned as if it had come to `POST /users/import`.

    If that fails, it may be completed again with other options. Once there is an import, this answers it.
    """
    opened.imports.check_room()
    async with opened.imports.receiving:
        import_id, job = await opened.imports.complete_upload(
            upload_id, asked, by=caller.user_id, scopes=caller.scopes
        )
    viewer = Viewer(caller.user_id, is_admin=False)
    return await import_replies.wait(
        opened, import_id, job, viewer=viewer, patience=patience, reply=reply, status=201
    )
