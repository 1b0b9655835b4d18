"""`/auth`: tokens, registration, sign-out, introspection, revocation."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response, status

from app import accounts, oauth
from app.clients import Client
from app.core.errors import (
    AccessDeniedError,
    AuthorizationPendingError,
    DeviceCodeExpiredError,
    InvalidGrantError,
    InvalidInvitationError,
    InvalidScopeError,
    RegistrationClosedError,
    SlowDownError,
    ThrottledError,
    TooManySignInsError,
    UnauthorizedClientError,
    UnavailableError,
    UniqueConflictError,
    UnsupportedGrantTypeError,
)
from app.http import replies
from app.http.dependencies import AskedLanguage, Backends, Caller, Source
from app.http.json_route import JsonRoute
from app.http.oauth_requests import form_of, read_form
from app.http.problems import BODY, SIGNED_IN, oauth_responses, responses
from app.oauth import forms, token_endpoint
from app.oauth.token_requests import TokenRequest
from models.account import Registration
from models.token import (
    InspectedForm,
    Introspection,
    PasswordKey,
    Revocation,
    TokenForm,
    TokenOutput,
)
from models.user import UserOutput

router = APIRouter(prefix="/auth", tags=["auth"], route_class=JsonRoute)


BASIC: dict[str, Any] = {"security": [{"Client": []}]}


async def _identify(
    request: Request, opened: Backends, form: Mapping[str, str], source: accounts.RequestSource
) -> Client:
    authorization = request.headers.get("authorization")
    return await oauth.identify_client(opened.auth, authorization, form, source)


@router.post(
    "/token",
    response_model_exclude_none=True,
    summary="Sign in, or refresh",
    openapi_extra=form_of(TokenForm) | {"security": [{}, {"Client": []}]},
    responses=oauth_responses(
        InvalidGrantError,
        InvalidScopeError,
        UnauthorizedClientError,
        UnsupportedGrantTypeError,
        AuthorizationPendingError,
        SlowDownError,
        AccessDeniedError,
        DeviceCodeExpiredError,
    )
    | responses(TooManySignInsError, UnavailableError),
)
async def create_token(request: Request, opened: Backends, source: Source) -> TokenOutput:
    """RFC 6749: `authorization_code`, `refresh_token`, `password` (e-mail, username or phone).

    A client as itself: `client_credentials`. A device (RFC 8628):
    `urn:ietf:params:oauth:grant-type:device_code`.

    A refresh token is valid once, and the reply has the next one. The same one again within seconds, after a
    lost reply, gets the same answer; an older one was stolen, or its thief used it first, and ends the
    session.
    """
    form = await read_form(request)
    client = await _identify(request, opened, form, source)
    asked = TokenRequest(form, client, source)
    return replies.token(await token_endpoint.answer(opened.auth, asked))


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    response_model=UserOutput,
    summary="Register oneself",
    responses=responses(
        *BODY, RegistrationClosedError, InvalidInvitationError, UniqueConflictError, ThrottledError,
        TooManySignInsError, UnavailableError,
    ) | replies.ASKED,
)  # fmt: skip
async def register_user(
    asked: Registration, opened: Backends, source: Source, language: AskedLanguage
) -> Response:
    """Open, by invitation or closed, as the service is configured. Sign in afterwards at `/auth/token`.

    Where the service sends mail, an open one answers 202, whether or not a user has the address: the mail
    has a link and a code by which one can sign in from then on.
    """
    row = await accounts.register(opened.auth, asked, source=source, language=language)
    return replies.asked() if row is None else replies.user(row, status=201)


@router.post(
    "/logout",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Sign out",
    responses=responses(*SIGNED_IN),
)
async def sign_out(opened: Backends, caller: Caller, source: Source) -> None:
    """Ends the session of the token: its access tokens and its refresh token are void with this reply."""
    await accounts.sign_out(opened.auth, caller, address=source.address)


@router.post(
    "/introspect",
    response_model_exclude_unset=True,
    summary="Is a token active?",
    openapi_extra=form_of(InspectedForm) | BASIC,
    responses=oauth_responses(),
)
async def introspect_token(request: Request, opened: Backends, source: Source) -> Introspection:
    """RFC 7662, for registered clients with a secret: whether routes would accept the token now.

    A refresh token is active only for the client that it was issued to. `token_use` tells the kinds apart.
    """
    form = await read_form(request)
    client = await _identify(request, opened, form, source)
    found = await oauth.introspect(opened.auth, forms.require(form, "token"), client=client)
    return Introspection.model_validate(found)


@router.post(
    "/revoke",
    summary="End the session of a token",
    openapi_extra=form_of(InspectedForm) | {"security": [*BASIC["security"], {}]},  # some have no secret
    responses=oauth_responses(UnauthorizedClientError),
)
async def revoke_token(request: Request, opened: Backends, source: Source) -> Revocation:
    """RFC 7009, for the client that the token was issued to; 200 also for unknown tokens."""
    form = await read_form(request)
    client = await _identify(request, opened, form, source)
    await oauth.revoke(opened.auth, forms.require(form, "token"), client=client)
    return Revocation()


@router.get(
    "/keys/password",
    summary="The key for encrypting passwords",
    responses=responses(UnavailableError),
)
async def read_password_key(opened: Backends) -> PasswordKey:
    """A public RSA key (JWK), a new one each day.

    A compact JWE of a password (`alg` RSA-OAEP-256, `enc` A256GCM, and the key's `kid`) can be sent as
    `password_jwe` in place of any `password`. Each is accepted once.
    """
    return PasswordKey.model_validate(await opened.auth.password_keys.public())
