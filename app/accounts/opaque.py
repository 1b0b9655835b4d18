"""Opaque tokens: made by the people whose they are, and ended."""

from typing import Any

from app import audit
from app.accounts.auth import Auth
from app.auth.access_tokens import Claims
from app.core.errors import (
    FieldError,
    InvalidError,
    SessionRevokedError,
    SignInNeededError,
    TokenNotFoundError,
)
from models.opaque_token import OpaqueTokenInput


async def create_token(auth: Auth, asked: OpaqueTokenInput, *, caller: Claims) -> tuple[str, dict[str, Any]]:
    """The text of a new token of the caller, and what is stored of it.

    SignInNeededError: the caller has shown such a token, which makes no others, or one that a third party
    got, whom it would outlive. InvalidError: a scope that the caller's own token lacks.
    """
    if caller.is_opaque:
        raise SignInNeededError("A token makes no other: sign in, and send that access token.")
    client = await auth.clients.find(caller.client_id)
    if client is None or not client.is_first_party:
        raise SignInNeededError("Only a first-party client, such as Roster's own, makes tokens for its user.")
    _check_scopes(asked, caller.scopes)
    generation = await auth.sessions.find_generation(caller.user_id)
    # Once more, and after the generation was read: what ended the caller's session ends the new token, too.
    await auth.sessions.check(caller.user_id, caller.sid, client_id=caller.client_id)
    if generation is None:
        raise SessionRevokedError("This session was ended: sign in again.")
    text, stored = await auth.opaque_tokens.create(caller.user_id, generation, asked)
    audit.log.record("token_created", user_id=caller.user_id, sid=stored["_id"], by=caller.user_id)
    return text, stored


def _check_scopes(asked: OpaqueTokenInput, allowed: frozenset[str]) -> None:
    if beyond := sorted(set(asked.scopes) - allowed):
        detail = f"Must be among the scopes of your own token, which lacks {' and '.join(beyond)}."
        raise InvalidError(
            "A token can do no more than what makes it.", errors=(FieldError(detail, pointer="/scopes"),)
        )


async def end_token(auth: Auth, principal: str, token_id: str, *, by: str | None = None) -> None:
    """End a token of a user or client. TokenNotFoundError if they have none with this id.

    `by`: None on the command line, which tells its operator.
    """
    if not await auth.opaque_tokens.end(principal, token_id):
        raise TokenNotFoundError("There is no such token.")
    if by is not None:
        audit.log.record("token_ended", user_id=principal, sid=token_id, by=by)
