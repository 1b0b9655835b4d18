"""`/users`: create, list, read, change, delete, batch."""

from fastapi import APIRouter, Request, Response, status

from app import listing, replies, users
from app.dependencies import ExpectedVersions, KnownVersions, QueryOf, UserId, backends, query_parameters
from app.errors import (
    ExpiredCursorError,
    InvalidCursorError,
    InvalidError,
    PreconditionFailedError,
    PreconditionRequiredError,
    QueryTooExpensiveError,
    UnavailableError,
    UniqueConflictError,
    UserNotFoundError,
    WriteConflictError,
)
from app.problems import BODY, responses
from app.strict_route import StrictRoute
from models.batch import Batch, BatchOutput
from models.listing import ListQuery, UserPage
from models.user import UserInput, UserOutput, UserPatch

router = APIRouter(tags=["users"], route_class=StrictRoute)

LISTING = QueryOf(ListQuery)
CHANGE = (UserNotFoundError, PreconditionFailedError, PreconditionRequiredError, UnavailableError)
MERGE_PATCH = {
    "requestBody": {
        "required": True,
        "content": {
            "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/UserPatch"}},
        },
    }
}


@router.post(
    "/users",
    status_code=status.HTTP_201_CREATED,
    response_model=UserOutput,
    summary="Create a user",
    responses=responses(*BODY, UniqueConflictError, UnavailableError),
)
async def create_user(user: UserInput) -> Response:
    """E-mail, username and phone are unique by their normalised values: whatever the case and width."""
    return replies.created(await users.create(user))


@router.get(
    "/users",
    response_model=UserPage,
    summary="List users",
    openapi_extra=query_parameters(ListQuery),
    responses=responses(
        InvalidCursorError, ExpiredCursorError, InvalidError, QueryTooExpensiveError, UnavailableError
    ),
)
async def list_users(request: Request) -> Response:
    """Follow `next` (or the `Link` header) until it is null.

    Each user who stays unchanged comes exactly once, whatever others write meanwhile.
    """
    held = backends(request)
    found = await listing.find(held.users, held.cursors, held.settings, LISTING.read(request))
    return replies.page(request, found)


@router.post(
    "/users:batch",
    response_model=BatchOutput,
    summary="Create, update and delete up to 1,000 users",
    responses=responses(*BODY, UnavailableError),
)
async def batch_users(batch: Batch) -> Response:
    """Operations are done in order and each stands or falls alone: the reply has one status for each."""
    return replies.batch(await users.apply(batch.operations))


@router.get(
    "/users/{user_id}",
    response_model=UserOutput,
    summary="Read a user",
    responses=responses(UserNotFoundError, InvalidError, UnavailableError)
    | {304: {"description": "Still the version that If-None-Match names."}},
)
async def read_user(user_id: UserId, known: KnownVersions) -> Response:
    """The ETag is the user's version: send it back as If-None-Match to be spared what you have."""
    return replies.user_unless_known(await users.read(user_id), known)


@router.patch(
    "/users/{user_id}",
    response_model=UserOutput,
    summary="Change a user",
    responses=responses(*CHANGE, *BODY, UniqueConflictError, WriteConflictError),
    openapi_extra=MERGE_PATCH,
)
async def patch_user(user_id: UserId, patch: UserPatch, versions: ExpectedVersions) -> Response:
    """JSON Merge Patch (RFC 7396): what is left out stays, null removes, lists are replaced as a whole.

    Without If-Match, two patches of different fields at the same time both survive.
    """
    return replies.user(await users.patch(user_id, patch, versions))


@router.put(
    "/users/{user_id}",
    response_model=UserOutput,
    summary="Replace a user",
    responses=responses(*CHANGE, *BODY, UniqueConflictError, WriteConflictError),
)
async def replace_user(user_id: UserId, user: UserInput, versions: ExpectedVersions) -> Response:
    """What the body leaves out is missing afterwards; the id, the times and the scopes stay."""
    return replies.user(await users.replace(user_id, user, versions))


@router.delete(
    "/users/{user_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a user",
    responses=responses(*CHANGE, InvalidError),
)
async def delete_user(user_id: UserId, versions: ExpectedVersions) -> None:
    """The id is never given to another user."""
    await users.delete(user_id, versions)
