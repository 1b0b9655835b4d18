"""What becomes of a session: begun, refreshed, listed, ended."""

from dataclasses import dataclass
from datetime import datetime

from app.core.errors import (
    InvalidTokenError,
    RefreshTokenReusedError,
    SessionDisplacedError,
    SessionExpiredError,
    SessionRevokedError,
)

_ENDS: dict[str, tuple[type[InvalidTokenError], str]] = {
    "displaced": (SessionDisplacedError, "A newer sign-in took the place of this session."),
    "revoked": (SessionRevokedError, "This session was ended: sign in again."),
    "reused": (RefreshTokenReusedError, "A refresh token was used twice, so the session was ended."),
}


def refusal(reason: str | None) -> InvalidTokenError:
    """The error of a session that ended for this reason; without one, it has expired."""
    kind, detail = _ENDS.get(reason or "", (SessionExpiredError, "This session has expired: sign in again."))
    return kind(detail)


@dataclass(frozen=True, slots=True)
class NewSession:
    sid: str
    refresh_token: str
    displaced: list[str]
    """Ids of the sessions that it displaced."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    user_id: str
    sid: str
    refresh_token: str
    client_id: str
    scopes: frozenset[str]
    expires_at: datetime
    """When the session ends unless it is refreshed again."""
    auth_time: int | None
    """When its user signed in, in seconds since 1970; None where no application is told."""


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    client_id: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime
    """When it was last refreshed, or begun."""
    expires_at: datetime
    """The earlier of the idle and the absolute end."""
    address: str
    agent: str
    clients: list[str]
    """The clients that have grants in it, if it is a browser session."""
