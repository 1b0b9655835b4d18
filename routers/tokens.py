"""Tokens that are made to be kept by programs: `/users/me/tokens`, and `tokens` of users and clients."""

from fastapi import APIRouter, status

from app import accounts, oauth
from app.core.errors import (
    ClientNotFoundError,
    InvalidError,
    SignInNeededError,
    TokenNotFoundError,
    TooManyTokensError,
)
from app.http import replies
from app.http.dependencies import Administrator, Backends, ClientId, Myself, TokenId, UserId
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
    await accounts.end_token(opened.auth, caller.user_id, token_id, by=caller.user_id)


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
    await accounts.end_token(opened.auth, str(user_id), token_id, by=caller.user_id)


@router.post(
    "/clients/{client_id}/tokens",
    status_code=status.HTTP_201_CREATED,
    summary="Make a token that a client keeps",
    responses=responses(ClientNotFoundError, TooManyTokensError, *BODY, *PROTECTED),
)
async def create_client_token(
    client_id: ClientId, asked: OpaqueTokenInput, caller: Administrator, opened: Backends
) -> NewOpaqueToken:
    """For a program that can only be given a token, and acts as the client itself. It is shown only once.

    Its scopes are among the client's own. It ends when it expires, when it is ended, when the client loses
    one of these scopes, and with the client.
    """
    made = await oauth.create_client_token(opened.auth, client_id, asked, by=caller.user_id)
    return replies.opaque_token(*made)


@router.get(
    "/clients/{client_id}/tokens",
    summary="The tokens that a client keeps",
    responses=responses(ClientNotFoundError, InvalidError, *PROTECTED),
)
async def list_client_tokens(client_id: ClientId, _: Administrator, opened: Backends) -> OpaqueTokenList:
    """Those that are valid, the newest first, without their texts."""
    client = await opened.auth.clients.read(client_id)
    return replies.opaque_tokens(await opened.auth.opaque_tokens.list_all(client.subject))


@router.delete(
    "/clients/{client_id}/tokens/{token_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End a token that a client keeps",
    responses=responses(ClientNotFoundError, TokenNotFoundError, InvalidError, *PROTECTED),
)
async def end_client_token(
    client_id: ClientId, token_id: TokenId, caller: Administrator, opened: Backends
) -> None:
    """It is refused from the next request on; the client's other tokens go on."""
    client = await opened.auth.clients.read(client_id)
    await accounts.end_token(opened.auth, client.subject, token_id, by=caller.user_id)
