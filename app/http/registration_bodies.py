"""Bodies of dynamic registration (RFC 7591, RFC 7592), whose errors are OAuth's, and not problems."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from pydantic import ValidationError

from app.clients import metadata
from app.core import field_errors
from app.core.errors import (
    FieldError,
    InvalidClientMetadataError,
    InvalidError,
    InvalidRedirectURIError,
    MalformedJSONError,
    UnauthenticatedError,
)
from app.http import json_route
from app.oauth import Registered
from models.client_registration import ClientMetadata, RegisteredMetadata

_NAMES = {"name": "client_name", "auth_method": "token_endpoint_auth_method"}
"""The metadata by what a client has."""


async def read(request: Request) -> ClientMetadata:
    """InvalidClientMetadataError, InvalidRedirectURIError: the first fault."""
    with in_oauth_terms():
        document = await json_route.read(request)
        try:
            return ClientMetadata.model_validate(document)
        except ValidationError as error:
            faults = field_errors.from_validation(error, document, ClientMetadata)
            raise InvalidError(faults[0].detail, errors=faults) from None


def read_token(request: Request) -> str:
    """The registration access token (RFC 7592, section 2). UnauthenticatedError."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError("Send Authorization: Bearer with the client's registration_access_token.")
    return token.strip(" ")


def describe(registered: Registered, issuer: str) -> RegisteredMetadata:
    secret = {"client_secret": registered.secret, "client_secret_expires_at": 0} if registered.secret else {}
    return RegisteredMetadata(
        **metadata.describe(registered.client),
        **secret,
        registration_access_token=registered.token,
        registration_client_uri=f"{issuer}/auth/clients/{registered.client.id}",
    )


@contextmanager
def in_oauth_terms() -> Iterator[None]:
    """Raises errors as RFC 7591, section 3.2.2, has them."""
    try:
        yield
    except MalformedJSONError as error:
        raise InvalidClientMetadataError(error.detail.replace('"', "'")) from None
    except InvalidError as error:
        fault = error.errors[0] if error.errors else FieldError(error.detail)
        first, *rest = (fault.pointer or "")[1:].split("/")
        name = "/".join([_NAMES.get(first, first), *rest])
        kind = InvalidRedirectURIError if first == "redirect_uris" and rest else InvalidClientMetadataError
        raise kind(f"{name}: {fault.detail}" if name else fault.detail) from None
