"""Introspection of tokens for services (RFC 7662), and their revocation (RFC 7009)."""

from typing import Any

from app import audit
from app.accounts.auth import Auth
from app.accounts.sign_outs import end
from app.auth import opaque_tokens
from app.auth.sessions import RefreshToken
from app.clients import Client
from app.core.errors import InvalidClientError, InvalidTokenError, UnauthorizedClientError

INACTIVE: dict[str, Any] = {"active": False}


async def introspect(auth: Auth, token: str, *, client: Client) -> dict[str, Any]:
    """The state of a token as every route would judge it; an inactive one has no other members.

    `token_use` distinguishes the two kinds of tokens, as in Hydra and Cognito.
    """
    if client.is_public:
        raise InvalidClientError("Introspection needs a registered client with a secret.")
    try:
        if (refresh_token := auth.sessions.read(token)) is not None:
            return await _introspect_refresh_token(auth, refresh_token, client)
        if (opaque := opaque_tokens.read(token)) is not None:
            claims = await auth.opaque_tokens.check(opaque)
        else:
            claims = await auth.tokens.verify(token)
            await auth.sessions.check(claims.user_id, claims.sid, client_id=claims.client_id)
    except InvalidTokenError:
        return INACTIVE
    return {
        "active": True,
        "scope": " ".join(sorted(claims.scopes)),
        "client_id": claims.client_id,
        "token_type": "Bearer",
        "token_use": "access_token",
        "exp": claims.expires_at,
        "iat": claims.issued_at,
        "sub": claims.subject,
        "aud": auth.settings.audience,
        "iss": auth.settings.issuer_url,
        "jti": claims.jti,
        "sid": claims.sid,
    }


async def _introspect_refresh_token(auth: Auth, token: RefreshToken, client: Client) -> dict[str, Any]:
    """The state of a refresh token, for its own client only; `token_type` is for access tokens."""
    found = await auth.sessions.find(token)
    if found is None or found.client_id != client.id:
        return INACTIVE
    return {
        "active": True,
        "scope": " ".join(found.scopes),
        "client_id": found.client_id,
        "token_use": "refresh_token",
        "exp": int(found.expires_at.timestamp()),
        "iat": int(found.created_at.timestamp()),
        "sub": token.user_id,
        "sid": found.id,
    }


async def revoke(auth: Auth, token: str, *, client: Client) -> None:
    """End the token's session, if it lives; UnauthorizedClientError if it is another client's."""
    try:
        if (refresh_token := auth.sessions.read(token)) is not None:
            user_id, sid = refresh_token.user_id, refresh_token.sid
            found = await auth.sessions.find(refresh_token, any_number=True)
            owner = found.client_id if found is not None else client.id
        else:
            opaque = opaque_tokens.read(token)
            claims = await (auth.opaque_tokens.check(opaque) if opaque else auth.tokens.verify(token))
            user_id, sid, owner = claims.user_id, claims.sid, claims.client_id
    except InvalidTokenError:
        return
    if owner != client.id:
        raise UnauthorizedClientError("The token was issued to another client.")
    if await end(auth, user_id, sid):
        audit.log.record("token_revoked", user_id=user_id, sid=sid, client_id=client.id)
