"""`/users`: create, list, read, change, delete, batch."""

from fastapi import APIRouter, Request, Response, status

from app import accounts, users
from app.auth.access_tokens import Claims
from app.core.errors import (
    IdempotencyKeyInUseError,
    IdempotencyKeyReusedError,
    InvalidError,
    LastAdministratorError,
    PasswordNeededError,
    PreconditionFailedError,
    PreconditionRequiredError,
    QueryTooExpensiveError,
    RosterError,
    UniqueConflictError,
    UserNotFoundError,
    WriteConflictError,
)
from app.http import replies
from app.http.dependencies import (
    AskedLanguage,
    Backends,
    ExpectedVersions,
    IdempotencyKey,
    KnownVersions,
    Reader,
    SuggestOptions,
    UserId,
    WriteAuthority,
    backends,
    query_parameters,
)
from app.http.fast_route import fast_get
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from app.http.replies import AGED, REPLAYED, VERSIONED
from models.batch import Batch, BatchOutput
from models.listing import ListQuery, Suggestions, SuggestQuery, UserPage
from models.user import UserInput, UserOutput, UserPatch, UserReplacement

router = APIRouter(tags=["users"], route_class=JsonRoute)

CREATED = {
    "Location": {
        "description": "The path of the user.",
        "schema": {"type": "string", "format": "uri-reference", "maxLength": 64},
    },
    **VERSIONED,
    **REPLAYED,
}
ONCE = (IdempotencyKeyInUseError, IdempotencyKeyReusedError)
LONGEST_LINK = 1_000_000
"""Three links with the query, which HTTP limits to 64 KiB, each byte escaped as three."""
LINKS = {
    "Link": {
        "description": "The `first`, `next` and `prev` pages (RFC 8288).",
        "schema": {
            "type": "string",
            "pattern": "^<",
            "maxLength": LONGEST_LINK,
            "examples": ['</users?limit=50>; rel="first"'],
        },
    }
}
CHANGE: tuple[type[RosterError], ...] = (
    UserNotFoundError,
    PreconditionFailedError,
    PreconditionRequiredError,
    LastAdministratorError,
    *PROTECTED,
)


@router.post(
    "/users",
    status_code=status.HTTP_201_CREATED,
    response_model=UserOutput,
    summary="Create a user",
    responses=responses(*BODY, UniqueConflictError, *ONCE, *PROTECTED) | {201: {"headers": CREATED}},
)
async def create_user(
    user: UserInput, authority: WriteAuthority, key: IdempotencyKey, opened: Backends
) -> Response:
    """E-mail, username and phone are unique by normalised value, regardless of case and width.

    With an Idempotency-Key the request can be repeated after a failure: the user is created once.
    """
    async with opened.users.attempt(key) as attempt:
        if attempt.answer is not None:
            return replies.again(attempt.answer)
        reply = replies.created(await opened.users.create(user, authority, attempt))
        await attempt.finish(replies.answer(reply))
    return reply


@fast_get(
    router,
    "/users",
    scope="users:read",
    query=ListQuery,
    response_model=UserPage,
    summary="List users",
    responses=responses(*PAGED, QueryTooExpensiveError, *PROTECTED) | {200: {"headers": LINKS | AGED}},
)
async def list_users(request: Request, _: Claims, asked: ListQuery) -> Response:
    """Follow `next` (or the `Link` header) until it is null.

    Each unchanged user comes exactly once, whatever others write meanwhile.
    """
    found = await backends(request).listing.find(asked)
    return replies.page(request, found)


@router.get(
    "/users/suggest",
    summary="Suggest users for a search box",
    openapi_extra=query_parameters(SuggestQuery),
    responses=responses(InvalidError, QueryTooExpensiveError, *PROTECTED) | {200: {"headers": AGED}},
)
async def suggest_users(_: Reader, asked: SuggestOptions, opened: Backends) -> Suggestions:
    """At most ten, ranked as with `q`; fast enough for each keystroke."""
    return replies.suggestions(await opened.listing.suggest(asked.q))


@router.post(
    "/users:batch",
    response_model=BatchOutput,
    summary="Create, update and delete up to 1,000 users",
    responses=responses(*BODY, *ONCE, *PROTECTED) | {200: {"headers": REPLAYED}},
)
async def batch_users(
    batch: Batch, authority: WriteAuthority, key: IdempotencyKey, opened: Backends
) -> Response:
    """Operations are done in order, and each succeeds or fails by itself: the reply has one status for each.

    With an Idempotency-Key the request can be repeated after a failure, or if an operation was answered 503:
    what was done is not done again.
    """
    async with opened.users.attempt(key) as attempt:
        if attempt.answer is not None:
            return replies.again(attempt.answer)
        results = await opened.users.apply(batch.operations, authority, attempt)
        reply = replies.batch(results)
        if users.is_complete(results):
            await attempt.finish(replies.answer(reply))
    return reply


@router.get(
    "/users/{user_id:oid}",
    response_model=UserOutput,
    summary="Read a user",
    responses=responses(UserNotFoundError, InvalidError, *PROTECTED)
    | {
        200: {"headers": VERSIONED | AGED},
        304: {"description": "The user is still at the version that If-None-Match names."},
    },
)
async def read_user(user_id: UserId, _: Reader, known: KnownVersions, opened: Backends) -> Response:
    """The ETag is the user's version: send it as If-None-Match to get only newer versions."""
    return replies.user_unless_known(await opened.users.show(user_id), known)


@router.patch(
    "/users/{user_id:oid}",
    response_model=UserOutput,
    summary="Change a user",
    responses=responses(*CHANGE, *BODY, PasswordNeededError, UniqueConflictError, WriteConflictError)
    | {200: {"headers": VERSIONED}},
    openapi_extra=replies.merge_patch("UserPatch"),
)
async def patch_user(
    user_id: UserId,
    patch: UserPatch,
    *,
    versions: ExpectedVersions,
    authority: WriteAuthority,
    opened: Backends,
    language: AskedLanguage,
) -> Response:
    """JSON Merge Patch (RFC 7396): omitted fields stay, null removes, lists are replaced as a whole.

    Without If-Match, simultaneous patches of different fields both succeed.
    """
    also = accounts.telling(opened.auth, language)
    return replies.user(await opened.users.patch(user_id, patch, versions, authority=authority, also=also))


@router.put(
    "/users/{user_id:oid}",
    response_model=UserOutput,
    summary="Replace a user",
    responses=responses(*CHANGE, *BODY, PasswordNeededError, UniqueConflictError, WriteConflictError)
    | {200: {"headers": VERSIONED}},
)
async def replace_user(
    user_id: UserId,
    user: UserReplacement,
    *,
    versions: ExpectedVersions,
    authority: WriteAuthority,
    opened: Backends,
    language: AskedLanguage,
) -> Response:
    """Omitted fields are removed, but scopes and activation stay, as id and times do.

    The reply of GET can be sent back: fields that you may not set are allowed if they are unchanged.
    """
    also = accounts.telling(opened.auth, language)
    return replies.user(await opened.users.replace(user_id, user, versions, authority=authority, also=also))


@router.delete(
    "/users/{user_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a user",
    responses=responses(*CHANGE, InvalidError),
)
async def delete_user(
    user_id: UserId, versions: ExpectedVersions, authority: WriteAuthority, opened: Backends
) -> None:
    """Ends the user's sessions. No other user will ever get the id."""
    await opened.users.delete(user_id, versions, authority=authority)
