"""`/auth/clients`: clients that register themselves and manage that (RFC 7591, RFC 7592)."""

from typing import Any

from fastapi import APIRouter, Request, status

from app import oauth
from app.core.errors import (
    InsufficientScopeError,
    InvalidClientMetadataError,
    InvalidRedirectURIError,
    InvalidTokenError,
    RegistrationClosedError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from app.http import registration_bodies
from app.http.dependencies import Backends, ClientId, Source, find_caller
from app.http.problems import SIGNED_IN, registration_responses, responses
from app.http.registration_bodies import in_oauth_terms
from app.users.authority import ADMIN
from models.client_registration import ClientMetadata, RegisteredMetadata

router = APIRouter(prefix="/auth/clients", tags=["auth"])

_SCHEMA = ClientMetadata.model_json_schema(ref_template="#/components/schemas/{model}")
del _SCHEMA["$defs"]  # the document has them of other operations
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}
}
_ITSELF: dict[str, Any] = {"security": [{"Registration": []}]}
_TOKEN = (UnauthenticatedError, InvalidTokenError, UnavailableError)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model_exclude_none=True,
    summary="Register oneself as a client",
    openapi_extra=_BODY | {"security": [{}, {"Bearer": [ADMIN]}]},
    responses=registration_responses(InvalidClientMetadataError, InvalidRedirectURIError)
    | responses(RegistrationClosedError, InsufficientScopeError, ThrottledError, *SIGNED_IN),
)
async def register_client(request: Request, opened: Backends, source: Source) -> RegisteredMetadata:
    """RFC 7591: closed, with an administrator's access token, or open, as the service is configured.

    The client is third party: users are asked for their consent, to what is their own. Metadata that are not
    known here are ignored.
    """
    by = await _let_in(request, opened)
    asked = await registration_bodies.read(request)
    with in_oauth_terms():
        registered = await oauth.register_itself(opened.auth, asked, source=source, by=by)
    return registration_bodies.describe(registered, opened.settings.issuer_url)


async def _let_in(request: Request, opened: Backends) -> str | None:
    """The administrator who lets the client register itself, if one is needed."""
    if opened.settings.client_registration == "closed":
        raise RegistrationClosedError("Ask an administrator to register the client.")
    is_open = opened.settings.client_registration == "open"
    return None if is_open else (await find_caller(request, ADMIN)).user_id


@router.get(
    "/{client_id}",
    response_model_exclude_none=True,
    summary="Read one's registration",
    openapi_extra=_ITSELF,
    responses=responses(*_TOKEN),
)
async def read_registration(client_id: ClientId, request: Request, opened: Backends) -> RegisteredMetadata:
    """RFC 7592, section 2.1; without the secret, of which only a hash is stored."""
    token = registration_bodies.read_token(request)
    client = await opened.auth.clients.find_registered(client_id, token)
    return registration_bodies.describe(oauth.Registered(client, token), opened.settings.issuer_url)


@router.put(
    "/{client_id}",
    response_model_exclude_none=True,
    summary="Change one's registration",
    openapi_extra=_BODY | _ITSELF,
    responses=registration_responses(InvalidClientMetadataError, InvalidRedirectURIError)
    | responses(*_TOKEN),
)
async def replace_registration(client_id: ClientId, request: Request, opened: Backends) -> RegisteredMetadata:
    """RFC 7592, section 2.2: all metadata are replaced. How the client authenticates stays."""
    token = registration_bodies.read_token(request)
    asked = await registration_bodies.read(request)
    with in_oauth_terms():
        changed = await oauth.change_itself(opened.auth, client_id, token, asked)
    return registration_bodies.describe(changed, opened.settings.issuer_url)


@router.delete(
    "/{client_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End one's registration",
    openapi_extra=_ITSELF,
    responses=responses(*_TOKEN),
)
async def remove_registration(client_id: ClientId, request: Request, opened: Backends) -> None:
    """RFC 7592, section 2.3: sessions that users began with the client end with this reply."""
    await oauth.remove_itself(opened.auth, client_id, registration_bodies.read_token(request))
