"""Refresh tokens: `sid.number.mac`. Redis has only the number, so nobody can make a token from Redis.

The mac is an HMAC-SHA256 under a key that only the service has, so that a successor can be made again for a
client whose reply was lost, and a forged token is detected without Redis. A session's id has its user and 160
random bits, so that the token alone tells where its session is.
"""

import hmac
import re
import secrets
from dataclasses import dataclass

from app.core.sealing import decode, derive, encode

_USER = 12
_RANDOM = 20
_SID = re.compile(r"[A-Za-z0-9_-]{43}")
_TOKEN = re.compile(r"([A-Za-z0-9_-]{43})\.([1-9][0-9]{0,14})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    user_id: str
    sid: str
    number: int


def new_sid(user_id: str) -> str:
    return encode(bytes.fromhex(user_id) + secrets.token_bytes(_RANDOM))


def user_of(sid: str) -> str | None:
    """The user in a session's id; None if it is no such id."""
    if not _SID.fullmatch(sid):
        return None
    try:
        return decode(sid)[:_USER].hex()
    except ValueError:
        return None


class RefreshTokens:
    """Makes and reads refresh tokens; every process with the same secret understands them."""

    def __init__(self, secret: str) -> None:
        self._key = derive(secret, "refresh token")

    def make(self, sid: str, number: int) -> str:
        return f"{sid}.{number}.{self._mac(sid, number)}"

    def read(self, token: str) -> RefreshToken | None:
        """The parts of a token; None if it is forged or malformed."""
        if not (found := _TOKEN.fullmatch(token)):
            return None
        sid, number = found[1], int(found[2])
        user_id = user_of(sid)
        if user_id is None or not hmac.compare_digest(self._mac(sid, number), found[3]):
            return None
        return RefreshToken(user_id, sid, number)

    def _mac(self, sid: str, number: int) -> str:
        return encode(hmac.digest(self._key, f"{sid}.{number}".encode(), "sha256"))
