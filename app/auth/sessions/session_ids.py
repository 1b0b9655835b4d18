"""Ids of sessions: the user and 160 random bits, so that an id alone tells where its session is.

A grant's id is that of the browser session which it is within, `~`, and 96 random bits of its own.
"""

import re
import secrets

from app.core.sealing import decode, encode

SID = "[A-Za-z0-9_-]{43}(?:~[A-Za-z0-9_-]{16})?"
"""The regular expression of an id."""
MARK = "~"
_USER = 12
_RANDOM = 20
_RANDOM_OF_GRANT = 12
_SID = re.compile(SID)


def new_sid(user_id: str) -> str:
    return encode(bytes.fromhex(user_id) + secrets.token_bytes(_RANDOM))


def new_grant(sid: str) -> str:
    """The id of a grant within this browser session."""
    return f"{sid}{MARK}{encode(secrets.token_bytes(_RANDOM_OF_GRANT))}"


def session_of(sid: str) -> str:
    """The browser session of a grant; any other session is its own."""
    return sid.partition(MARK)[0]


def user_of(sid: str) -> str | None:
    """The user in a session's id; None if it is no such id."""
    if not _SID.fullmatch(sid):
        return None
    try:
        return decode(session_of(sid))[:_USER].hex()
    except ValueError:
        return None
