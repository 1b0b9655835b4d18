"""One log line for each authentication event, without secrets: who, from where, and why not.

Its fields, where they are known: `user_id`, `client_id`, `address`, `session` (16 hexadecimal digits of a
hash of the session's id, the same on all of its lines) and `reason`, a word such as `wrong_password` that the
caller does not see. Successes are info, refusals warnings.
"""

import hashlib
from typing import Any, Literal, get_args

import structlog

from app.monitoring.metrics import AUTH_EVENTS

Success = Literal[
    "client_changed",  # by an administrator or by itself (RFC 7592), as the next three
    "client_registered",
    "client_removed",
    "client_signed_in",  # as itself, by its credentials
    "client_secret_renewed",
    "consent_given",
    "consent_withdrawn",
    "device_approved",  # by its user, who typed its code
    "email_changed",
    "email_taken_back",  # by the link that the old address was sent
    "email_verified",
    "activation_sent",  # by an administrator
    "grant_begun",  # a client got tokens through a browser session
    "mail_asked",  # on public request; `user_id` if a user has the address
    "password_changed",  # by the user, who gave the current one
    "password_set",  # by an administrator or the command line
    "password_reset",  # by a code of a mail, also the first one of an imported user
    "registered",
    "scopes_changed",
    "signing_key_made",  # by an administrator or the command line
    "session_displaced",  # by a newer sign-in, under ROSTER_SESSIONS_PER_USER
    "session_ended",  # by its user or an administrator; in `signed_out` a session ended itself
    "signed_in",
    "signed_out",
    "signed_out_everywhere",
    "throttle_lifted",  # of a user or an address, by an administrator
    "token_created",  # a personal one, or a client's
    "token_ended",  # of those, by its owner or an administrator
    "token_refreshed",
    "token_revoked",  # by a client (RFC 7009)
    "user_activated",
    "user_given",  # to a provisioning client, by an administrator; `user_taken` from it
    "user_taken",
    "user_deactivated",
]
Denial = Literal[
    "access_denied",  # the token is not valid, or lacks the scope
    "device_denied",  # by its user
    "client_refused",  # unknown, wrong secret or assertion, throttled
    "code_refused",
    "refresh_refused",
    "refresh_token_reused",  # somebody has a copy: the session was ended
    "mail_code_refused",
    "registration_refused",
    "sign_in_failed",
    "sign_in_throttled",
]

_DENIALS = frozenset(get_args(Denial))
for _event in (*get_args(Success), *_DENIALS):
    AUTH_EVENTS.labels(_event)
_SESSION_DIGITS = 16

_NAME = "roster.auth"

_log = structlog.get_logger(_NAME)


def record(
    event: Success | Denial,
    *,
    user_id: str | None = None,
    sid: str | None = None,
    client_id: str | None = None,
    address: str | None = None,
    reason: str | None = None,
    **more: Any,
) -> None:
    """Write the line without fields that are None. `more` is cleaned by its names, as all log lines are."""
    fields = {
        "logger": _NAME,
        "user_id": user_id,
        "session": None if sid is None else _hide(sid),
        "client_id": client_id,
        "address": address,
        "reason": reason,
        **more,
    }
    AUTH_EVENTS.labels(event).inc()
    write = _log.warning if event in _DENIALS else _log.info
    write(event, **{name: value for name, value in fields.items() if value is not None})


def _hide(sid: str) -> str:
    """A hash of any text: a refused token may name a session that never existed."""
    return hashlib.sha256(sid.encode("utf-8", "surrogatepass")).hexdigest()[:_SESSION_DIGITS]
