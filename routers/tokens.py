"""`/users/me/tokens` and `/users/{user_id}/tokens`: tokens that are made to be kept by programs."""

from fastapi import APIRouter, status

from app.auth import accounts
from app.core.errors import InvalidError, SignInNeededError, TokenNotFoundError, TooManyTokensError
from app.http import replies
from app.http.dependencies import Administrator, Backends, Myself, TokenId, UserId
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PROTECTED, NotFoundError, responses
from models.opaque_token import NewOpaqueToken, OpaqueTokenInput, OpaqueTokenList

router = APIRouter(tags=["tokens"], route_class=JsonRoute)


@router.post(
    "/users/me/tokens",
    status_code=status.HTTP_201_CREATED,
    summary="Make a personal access token",
    responses=responses(SignInNeededError, TooManyTokensError, *BODY, *PROTECTED),
)
async def create_my_token(asked: OpaqueTokenInput, caller: Myself, opened: Backends) -> NewOpaqueToken:
    """For a program that acts as you: it is shown only once, and may do what `scopes` name.

    It ends when it expires, when you end it, and with all your sessions: when you sign out everywhere, your
    password is changed, a scope is taken from you, or you are deactivated. A token makes no other: sign in.
    """
    return replies.opaque_token(*await accounts.create_token(opened.auth, asked, caller=caller))


@router.get("/users/me/tokens", summary="Your personal access tokens", responses=responses(*PROTECTED))
async def list_my_tokens(caller: Myself, opened: Backends) -> OpaqueTokenList:
    """Those that are valid, the newest first, without their texts."""
    return replies.opaque_tokens(await opened.auth.opaque_tokens.list_all(caller.user_id))


@router.delete(
    "/users/me/tokens/{token_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End one of your tokens",
    responses=responses(TokenNotFoundError, InvalidError, *PROTECTED),
)
async def end_my_token(token_id: TokenId, caller: Myself, opened: Backends) -> None:
    """It is refused from the next request on; it may be the token of this one."""
    await accounts.end_token(opened.auth, caller.user_id, token_id, by=caller)


@router.get(
    "/users/{user_id:oid}/tokens",
    summary="The tokens of a user",
    responses=responses(NotFoundError, InvalidError, *PROTECTED),
)
async def list_tokens(user_id: UserId, _: Administrator, opened: Backends) -> OpaqueTokenList:
    """Those that are valid, the newest first, without their texts; empty for an unknown user."""
    return replies.opaque_tokens(await opened.auth.opaque_tokens.list_all(str(user_id)))


@router.delete(
    "/users/{user_id:oid}/tokens/{token_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End a token of a user",
    responses=responses(TokenNotFoundError, InvalidError, *PROTECTED),
)
async def end_token(user_id: UserId, token_id: TokenId, caller: Administrator, opened: Backends) -> None:
    """It is refused from the next request on; the user's sessions and other tokens go on."""
    await accounts.end_token(opened.auth, str(user_id), token_id, by=caller)
