"""Clients that register themselves (RFC 7591), and manage that by a token of their own (RFC 7592)."""

from dataclasses import dataclass

from app.accounts.grants import RequestSource
from app.clients import Client, metadata
from app.clients.rules import wrong
from app.core import secret_codes
from app.core.errors import InvalidClientError
from app.oauth.oauth import OAuth
from app.oauth.services import remove_client
from models.client_registration import ClientMetadata

_ITSELF = "itself"


@dataclass(frozen=True, slots=True)
class Registered:
    """A client that registered itself, and what only it is told."""

    client: Client
    token: str
    """The registration access token."""
    secret: str | None = None


async def register_itself(
    auth: OAuth, asked: ClientMetadata, *, source: RequestSource, by: str | None
) -> Registered:
    """Register a client. `by`: the administrator who let it; without one the address is throttled.

    ThrottledError; InvalidError names the metadata that are wrong.
    """
    if by is None:
        await auth.throttle.count_registration(source.address, "client_registrations")
    token = secret_codes.make()
    client, secret = await auth.clients.register(
        metadata.read(asked), registration_token=token, by=by or _ITSELF
    )
    return Registered(client, token, secret)


async def change_itself(auth: OAuth, client_id: str, token: str, asked: ClientMetadata) -> Registered:
    """Replace all metadata (RFC 7592, section 2.2). InvalidTokenError; InvalidError."""
    client = await auth.clients.find_registered(client_id, token)
    if asked.client_id != client_id:
        raise wrong("client_id", "Must be the id of the client.")
    if asked.token_endpoint_auth_method != client.auth_method:
        raise wrong("token_endpoint_auth_method", "Must stay: register anew with another.")
    if asked.client_secret is not None:
        await _prove(auth, client_id, asked.client_secret)
    changed = await auth.clients.change(client_id, metadata.changes(asked), by=_ITSELF)
    return Registered(changed, token)


async def _prove(auth: OAuth, client_id: str, secret: str) -> None:
    try:
        await auth.clients.identify(client_id=client_id, secret=secret)
    except InvalidClientError:
        raise wrong("client_secret", "Must be the present secret, or be left out.") from None


async def remove_itself(auth: OAuth, client_id: str, token: str) -> None:
    """Remove the client with all that it holds (RFC 7592, section 2.3). InvalidTokenError."""
    await auth.clients.find_registered(client_id, token)
    await remove_client(auth, client_id, by=_ITSELF)
