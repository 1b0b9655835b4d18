"""Tokens of forms: each is good in one browser, by its cookie, and for what the form is bound to.

A page of another site can make a browser send a form, but knows no token of it (CSRF).
"""

import hmac
import os
import secrets

from app.core import sealing

_SALT = 16


class FormTokens:
    def __init__(self, secret: str) -> None:
        self._key = sealing.derive(secret, "form tokens")

    @staticmethod
    def make_cookie() -> str:
        return secrets.token_urlsafe(24)

    def make(self, cookie: str, bound: str) -> str:
        """A new token; no two are alike, so that none can be guessed from the length of compressed pages.

        `bound`: the session that the form was shown to, or nothing where nobody need be signed in.
        """
        salt = os.urandom(_SALT)
        return sealing.encode(salt + self._sign(salt, cookie, bound))

    def fits(self, token: str, cookie: str, bound: str) -> bool:
        try:
            made = sealing.decode(token)
        except ValueError:
            return False
        return hmac.compare_digest(made[_SALT:], self._sign(made[:_SALT], cookie, bound))

    def _sign(self, salt: bytes, cookie: str, bound: str) -> bytes:
        return hmac.digest(
            self._key, b"\n".join((salt.hex().encode(), cookie.encode(), bound.encode())), "sha256"
        )
