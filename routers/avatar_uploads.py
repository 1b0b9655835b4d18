"""`/users/{id}/avatar/uploads`: pictures that clients send straight to the operator's bucket."""

from beanie import PydanticObjectId
from fastapi import APIRouter, Response, status

from app.core.errors import (
    DirectUploadsOffError,
    InvalidError,
    PictureTooLargeError,
    PreconditionFailedError,
    PreconditionRequiredError,
    ThrottledError,
    TooLargeError,
    TooManyPicturesError,
    UnreadablePictureError,
    UnsupportedPictureError,
    UploadDiffersError,
    UploadNotFoundError,
    UploadNotReadyError,
    UserNotFoundError,
    WriteConflictError,
)
from app.http import replies
from app.http.dependencies import (
    Backends,
    ExpectedVersions,
    Myself,
    SelfAuthority,
    UploadId,
    UserId,
    WriteAuthority,
    Writer,
)
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PROTECTED, responses
from app.http.replies import VERSIONED
from models.upload import UploadInput, UploadOutput
from models.user import UserOutput

router = APIRouter(tags=["avatars"], route_class=JsonRoute)

_ANNOUNCED = responses(
    UserNotFoundError, DirectUploadsOffError, TooLargeError, TooManyPicturesError, *BODY, *PROTECTED
)
_COMPLETED = responses(
    UserNotFoundError,
    UploadNotFoundError,
    UploadNotReadyError,
    UploadDiffersError,
    DirectUploadsOffError,
    InvalidError,
    PreconditionFailedError,
    PreconditionRequiredError,
    WriteConflictError,
    TooLargeError,
    PictureTooLargeError,
    UnsupportedPictureError,
    UnreadablePictureError,
    ThrottledError,
    TooManyPicturesError,
    *PROTECTED,
) | {200: {"headers": VERSIONED}}


@router.post(
    "/users/me/avatar/uploads",
    status_code=status.HTTP_201_CREATED,
    summary="Announce your picture, which is uploaded to the bucket",
    responses=_ANNOUNCED,
)
async def announce_my_avatar(
    announced: UploadInput, caller: Myself, authority: SelfAuthority, opened: Backends
) -> UploadOutput:
    """As of `POST /users/{user_id}/avatar/uploads`."""
    user_id = PydanticObjectId(caller.user_id)
    return replies.upload(
        *await opened.avatars.offer_upload(user_id, announced, authority, by=caller.user_id)
    )


@router.post(
    "/users/me/avatar/uploads/{upload_id:oid}/complete",
    response_model=UserOutput,
    summary="Take your picture that was uploaded to the bucket",
    responses=_COMPLETED,
)
async def complete_my_avatar(
    upload_id: UploadId,
    caller: Myself,
    versions: ExpectedVersions,
    authority: SelfAuthority,
    opened: Backends,
) -> Response:
    """As of `POST /users/{user_id}/avatar/uploads/{upload_id}/complete`."""
    opened.avatars.check_room()
    user_id = PydanticObjectId(caller.user_id)
    return replies.user(
        await opened.avatars.complete_upload(user_id, upload_id, versions, authority, by=caller.user_id)
    )


@router.post(
    "/users/{user_id:oid}/avatar/uploads",
    status_code=status.HTTP_201_CREATED,
    summary="Announce a user's picture, which is uploaded to the bucket",
    responses=_ANNOUNCED,
)
async def announce_avatar(
    user_id: UserId, announced: UploadInput, caller: Writer, authority: WriteAuthority, opened: Backends
) -> UploadOutput:
    """Where `ROSTER_FILES_DIRECT` is set: send the picture by PUT to the URL of the reply, then complete it.

    What is never completed is deleted a day later.
    """
    return replies.upload(
        *await opened.avatars.offer_upload(user_id, announced, authority, by=caller.user_id)
    )


@router.post(
    "/users/{user_id:oid}/avatar/uploads/{upload_id:oid}/complete",
    response_model=UserOutput,
    summary="Take a user's picture that was uploaded to the bucket",
    responses=_COMPLETED,
)
async def complete_avatar(
    *,
    user_id: UserId,
    upload_id: UploadId,
    caller: Writer,
    versions: ExpectedVersions,
    authority: WriteAuthority,
    opened: Backends,
) -> Response:
    """The picture is read, checked and drawn as if it had come to `PUT /users/{user_id}/avatar`.

    If that fails, it may be completed again. Once it was taken, this answers the user as they are.
    """
    opened.avatars.check_room()
    return replies.user(
        await opened.avatars.complete_upload(user_id, upload_id, versions, authority, by=caller.user_id)
    )
