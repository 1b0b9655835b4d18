"""Refresh tokens: `sid.number.mac`. Redis has only the number, so nobody can make a token from Redis.

The mac is an HMAC-SHA256 under a key that only the service has, so that a successor can be made again for a
client whose reply was lost, and a forged token is detected without Redis. Cookies are made alike, under
another key.
"""

import hmac
import re
from dataclasses import dataclass

from app.auth.sessions.session_ids import SID, user_of
from app.core.sealing import derive, encode

_TOKEN = re.compile(rf"({SID})\.([1-9][0-9]{{0,14}})\.([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    user_id: str
    sid: str
    number: int


class RefreshTokens:
    """Makes and reads refresh tokens; every process with the same secret understands them."""

    def __init__(self, secret: str, purpose: str = "refresh token") -> None:
        """A token made for one purpose is not one for another."""
        self._key = derive(secret, purpose)

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
