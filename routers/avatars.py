"""`/users/{id}/avatar`, `/users/me/avatar` and `/avatars/{version}`: pictures of users."""

from typing import Any

from beanie import PydanticObjectId
from fastapi import APIRouter, Request, Response, status

from app.core.errors import (
    AvatarNotFoundError,
    InvalidError,
    MalformedFormError,
    PictureTooLargeError,
    PreconditionFailedError,
    PreconditionRequiredError,
    RosterError,
    ThrottledError,
    TooLargeError,
    TooManyPicturesError,
    UnavailableError,
    UnreadablePictureError,
    UnsupportedMediaTypeError,
    UnsupportedPictureError,
    UserNotFoundError,
    WriteConflictError,
)
from app.http import pictures, replies
from app.http.dependencies import (
    AvatarOptions,
    AvatarVersion,
    Backends,
    ExpectedVersions,
    Myself,
    Reader,
    SelfAuthority,
    UserId,
    WriteAuthority,
    query_parameters,
)
from app.http.problems import PROTECTED, responses
from app.http.replies import VERSIONED
from models.avatar import AvatarQuery
from models.user import UserOutput

router = APIRouter(tags=["avatars"])

_CHANGE: tuple[type[RosterError], ...] = (
    UserNotFoundError,
    InvalidError,
    PreconditionFailedError,
    PreconditionRequiredError,
    WriteConflictError,
    *PROTECTED,
)
_UPLOAD: tuple[type[RosterError], ...] = (
    *_CHANGE,
    MalformedFormError,
    TooLargeError,
    PictureTooLargeError,
    UnsupportedMediaTypeError,
    UnsupportedPictureError,
    UnreadablePictureError,
    ThrottledError,
    TooManyPicturesError,
)
_BINARY = {"schema": {"format": "binary"}}
_SIZED = query_parameters(AvatarQuery)
_LEADS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The user's initials on a colour.", "content": {"image/svg+xml": _BINARY}},
    302: {
        "description": "Where the picture is: here, or elsewhere.",
        "headers": {"Location": {"schema": {"type": "string", "format": "uri-reference", "maxLength": 2083}}},
    },
}
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture.", "content": {"image/jpeg": _BINARY, "image/webp": _BINARY}},
    304: {"description": "If-None-Match names it."},
}


@router.put(
    "/users/me/avatar",
    response_model=UserOutput,
    summary="Upload your picture",
    openapi_extra=pictures.upload(),
    responses=responses(*_UPLOAD) | {200: {"headers": VERSIONED}},
)
async def put_my_avatar(
    request: Request, caller: Myself, versions: ExpectedVersions, authority: SelfAuthority, opened: Backends
) -> Response:
    """As of `PUT /users/{user_id}/avatar`."""
    return await _put(request, PydanticObjectId(caller.user_id), versions, authority, opened)


@router.delete(
    "/users/me/avatar",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Remove your picture",
    responses=responses(*_CHANGE),
)
async def remove_my_avatar(
    caller: Myself, versions: ExpectedVersions, authority: SelfAuthority, opened: Backends
) -> None:
    """As of `DELETE /users/{user_id}/avatar`."""
    await opened.avatars.remove(PydanticObjectId(caller.user_id), versions, authority)


@router.get(
    "/users/me/avatar",
    response_class=Response,
    summary="Show your picture",
    openapi_extra=_SIZED,
    responses=responses(UserNotFoundError, InvalidError, *PROTECTED) | _LEADS,
)
async def show_my_avatar(caller: Myself, asked: AvatarOptions, opened: Backends) -> Response:
    """As of `GET /users/{user_id}/avatar`."""
    row = await opened.users.read(PydanticObjectId(caller.user_id))
    return pictures.lead(row, asked.size, opened.settings.issuer_url)


@router.put(
    "/users/{user_id:oid}/avatar",
    response_model=UserOutput,
    summary="Upload a user's picture",
    openapi_extra=pictures.upload(),
    responses=responses(*_UPLOAD) | {200: {"headers": VERSIONED}},
)
async def put_avatar(
    request: Request,
    user_id: UserId,
    versions: ExpectedVersions,
    authority: WriteAuthority,
    opened: Backends,
) -> Response:
    """Send a JPEG, PNG, WebP, GIF or AVIF as the body, or as `file` of a form.

    It is turned upright, cropped to a square and stored anew, without what else was in the file. The reply's
    `avatar_url` shows it to everybody who knows that URL, until there is another or none.
    """
    return await _put(request, user_id, versions, authority, opened)


@router.delete(
    "/users/{user_id:oid}/avatar",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Remove a user's picture",
    responses=responses(*_CHANGE),
)
async def remove_avatar(
    user_id: UserId, versions: ExpectedVersions, authority: WriteAuthority, opened: Backends
) -> None:
    """`avatar_url` is null then, also where it led elsewhere; the URL of an uploaded picture ends at once."""
    await opened.avatars.remove(user_id, versions, authority)


@router.get(
    "/users/{user_id:oid}/avatar",
    response_class=Response,
    summary="Show a user's picture",
    openapi_extra=_SIZED,
    responses=responses(UserNotFoundError, InvalidError, *PROTECTED) | _LEADS,
)
async def show_avatar(user_id: UserId, _: Reader, asked: AvatarOptions, opened: Backends) -> Response:
    """Leads to the picture; without one, it is the user's initials."""
    return pictures.lead(await opened.users.read(user_id), asked.size, opened.settings.issuer_url)


@router.get(
    "/avatars/{version}",
    response_class=Response,
    summary="Show a picture by its URL",
    openapi_extra=_SIZED,
    responses=responses(AvatarNotFoundError, InvalidError, UnavailableError) | _PICTURE,
)
async def download_avatar(
    request: Request, version: AvatarVersion, asked: AvatarOptions, opened: Backends
) -> Response:
    """Needs no token, as pages show it; nobody guesses the URL, and it ends with the picture."""
    return await pictures.show(request, await opened.avatars.find(version, asked.size))


async def _put(
    request: Request,
    user_id: PydanticObjectId,
    versions: ExpectedVersions,
    authority: WriteAuthority,
    opened: Backends,
) -> Response:
    opened.avatars.check_room()
    content = await pictures.receive(request, opened.settings.avatar_max_bytes)
    return replies.user(await opened.avatars.put(user_id, content, versions, authority))
