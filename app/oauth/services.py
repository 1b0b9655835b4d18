"""Clients as themselves: by their credentials (RFC 6749, section 4.4), or by tokens that they keep."""

from collections.abc import Mapping
from typing import Any

from app import audit
from app.accounts.grants import IssuedTokens
from app.auth.sessions import CLIENT_GENERATION
from app.clients import Client
from app.core.errors import FieldError, InvalidError, InvalidScopeError, UnauthorizedClientError
from app.oauth import forms
from app.oauth.oauth import OAuth
from app.oauth.token_requests import TokenRequest
from models.opaque_token import OpaqueTokenInput
from models.provisioned import StoredActivity, StoredActivityDay, StoredLink

_NO_SCOPES = "The client has no scopes of its own: an administrator names them first."
_PUBLIC = "A client that has neither secret nor key cannot act as itself."


async def grant(auth: OAuth, asked: TokenRequest) -> IssuedTokens:
    """An access token of the client itself, without a refresh token (section 4.4.3).

    UnauthorizedClientError: it cannot act as itself. InvalidScopeError: it has none of the scopes.
    """
    client, scopes = asked.client, asked.scopes(forms.USER_SCOPES)
    if client.is_public:
        raise UnauthorizedClientError(_PUBLIC)
    if not client.own_scopes:
        raise UnauthorizedClientError(_NO_SCOPES)
    if not (granted := client.own_scopes if scopes is None else client.own_scopes & scopes):
        raise InvalidScopeError("None of these scopes is the client's own.")
    session = await auth.sessions.create(
        client.subject,
        CLIENT_GENERATION,
        client=client,
        scopes=granted,
        address=asked.source.address,
        agent=asked.source.agent,
        ttl_s=auth.settings.access_token_ttl_s,
    )
    token, claims = auth.tokens.issue(
        user_id=client.subject, sid=session.sid, client_id=client.id, scopes=granted, is_service=True
    )
    audit.log.record("client_signed_in", sid=session.sid, client_id=client.id, address=asked.source.address)
    return IssuedTokens(token, None, claims)


async def change_client(
    auth: OAuth, client_id: str, changes: Mapping[str, Any], *, by: str | None = None
) -> Client:
    """The client after a change; its tokens end that hold a scope which it has lost.

    InvalidError; ClientNotFoundError.
    """
    client = await auth.clients.change(client_id, changes, by=by)
    await auth.opaque_tokens.narrow(client)
    return client


async def remove_client(auth: OAuth, client_id: str, *, by: str | None = None) -> None:
    """Remove a client, what users gave it (sessions, consents), and its own sessions and tokens.

    ClientNotFoundError.
    """
    client = await auth.clients.read(client_id)
    async with auth.sessions.ending_client(client_id), auth.sessions.ending(client.subject) as ending:
        await _forget_provisioning(auth, client)
        await auth.clients.remove(client_id, by=by)
        ending.generation = CLIENT_GENERATION + 1
    await auth.opaque_tokens.forget(client.subject)
    await auth.consents.forget_client(client_id)


async def _forget_provisioning(auth: OAuth, client: Client) -> None:
    """Another client that is registered under its id sees nothing of its users, which stay."""
    await auth.database[StoredLink.Settings.name].delete_many({"client": client.id})
    await auth.database[StoredActivity.Settings.name].delete_one({"_id": client.subject})
    await auth.database[StoredActivityDay.Settings.name].delete_many({"client": client.subject})


async def create_client_token(
    auth: OAuth, client_id: str, asked: OpaqueTokenInput, *, by: str | None = None
) -> tuple[str, dict[str, Any]]:
    """The text of a new token of the client, and what is stored of it.

    ClientNotFoundError; InvalidError: the client cannot act as itself, or lacks a scope.
    """
    client = await auth.clients.read(client_id)
    _check(client, asked)
    text, stored = await auth.opaque_tokens.create(client.subject, CLIENT_GENERATION, asked, client)
    if by is not None:
        audit.log.record("token_created", sid=stored["_id"], client_id=client.id, by=by)
    return text, stored


def _check(client: Client, asked: OpaqueTokenInput) -> None:
    if client.is_public:
        raise InvalidError(_PUBLIC)
    if beyond := sorted(set(asked.scopes) - client.own_scopes):
        detail = (
            f"Must be the client's own, and not me, which is a person's; it lacks {' and '.join(beyond)}."
        )
        bad = FieldError(detail, pointer="/scopes")
        raise InvalidError("The client lacks a scope." if client.own_scopes else _NO_SCOPES, errors=(bad,))
