"""The text of an opaque token: `roster_pat_`, 43 characters, and a checksum of 6.

The prefix and the checksum let scanners recognise a token that was committed or logged, without asking
Roster. The 43 characters are the principal, so that the token alone tells where its session is, and 160
random bits. What is stored is a hash of the whole.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from app.core.errors import InvalidTokenError
from app.core.sealing import decode, encode

Kind = Literal["pat", "svc"]
"""A person's, or a client's."""

CACHED = 10_000
"""Texts that a process caches as read, since hash and checksum cost a part of each request."""

_PREFIX = "roster_"
_FORM = re.compile(r"roster_(?:pat|svc)_([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{6})")
_CHECKSUM = 6
_PRINCIPAL = 12
_RANDOM = 20


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """What a token's text tells of it."""

    user_id: str
    """Its principal: a user, or the `subject` of a client."""
    sid: str
    """The id of its session, and of the token in lists: the principal, and 160 bits of the text's SHA-256."""


def make(kind: Kind, principal: str) -> tuple[str, OpaqueToken]:
    """A new token, as text and as `read` would answer it."""
    owner = bytes.fromhex(principal)
    unchecked = f"{_PREFIX}{kind}_{encode(owner + secrets.token_bytes(_RANDOM))}"
    text = unchecked + _checksum(unchecked)
    return text, _token(owner, text)


def read(text: str) -> OpaqueToken | None:
    """None for what is no opaque token, but a JWT perhaps; InvalidTokenError for a malformed one."""
    if not text.startswith(_PREFIX):
        return None
    form = _FORM.fullmatch(text)
    if form is None:
        raise _malformed()
    return _read(text, form[1], form[2])


@lru_cache(maxsize=CACHED)
def _read(text: str, content: str, checksum: str) -> OpaqueToken:
    if _checksum(text[:-_CHECKSUM]) != checksum:
        raise _malformed()
    return _token(_decode(content)[:_PRINCIPAL], text)


def _malformed() -> InvalidTokenError:
    return InvalidTokenError("The token is not one that Roster issues: a part of it may be missing.")


def _token(owner: bytes, text: str) -> OpaqueToken:
    digest = hashlib.sha256(text.encode()).digest()
    return OpaqueToken(owner.hex(), encode(owner + digest[:_RANDOM]))


def _decode(content: str) -> bytes:
    try:
        return decode(content)
    except ValueError:
        raise InvalidTokenError("The token is not one that Roster issues.") from None


def _checksum(text: str) -> str:
    return encode(zlib.crc32(text.encode()).to_bytes(4, "big"))
