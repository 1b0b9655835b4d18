"""The check of every protected route: the token, its session, its scope."""

from collections.abc import Sequence

from app import audit
from app.accounts import Auth
from app.auth import opaque_tokens
from app.auth.access_tokens import Claims
from app.core.errors import InsufficientScopeError, InvalidTokenError, UnauthenticatedError

_SCHEME = "bearer "


async def authorise(auth: Auth, authorization: Sequence[str], scope: str | None = None) -> Claims:
    """The claims of the caller (RFC 6750, section 2.1), with one round trip to Redis.

    `authorization`: all such headers; of two, a proxy may have checked the other one. UnauthenticatedError,
    InvalidTokenError and its kinds: 401. InsufficientScopeError: 403.
    """
    if len(authorization) != 1 or authorization[0][: len(_SCHEME)].lower() != _SCHEME:
        raise UnauthenticatedError("Send Authorization: Bearer, once, with a token of POST /auth/token.")
    token = authorization[0][len(_SCHEME) :].strip(" ")
    claims, opaque = auth.tokens.known(token), None
    try:
        if claims is None and (opaque := opaque_tokens.read(token)) is not None:
            claims = await auth.opaque_tokens.check(opaque)
        else:
            claims = claims or await auth.tokens.verify(token)
            await auth.sessions.check(claims.user_id, claims.sid, client_id=claims.client_id)
    except InvalidTokenError as error:
        named = claims or opaque
        who = {"user_id": named.user_id, "sid": named.sid} if named else {}
        audit.log.record("access_denied", **who, reason=error.code)
        raise
    if scope is not None and scope not in claims.scopes:
        audit.log.record("access_denied", user_id=claims.user_id, sid=claims.sid, reason=f"lacks {scope}")
        raise InsufficientScopeError(scope)
    return claims
