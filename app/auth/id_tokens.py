"""ID tokens (OpenID Connect Core 1.0, section 2): issued, and read again as hints."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core import sealing
from app.keys.keyring import Keyring

ACR = "1"
"""The only level of a sign-in: a password (ISO/IEC 29115, level 1)."""
_AMR = ["pwd"]  # RFC 8176
_LONGEST = 8192
_HASHES = {"EdDSA": "sha512"}
"""Of the signature's algorithm; SHA-256 for the others."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What an ID token of ours told; it may have expired."""

    user_id: str
    client_id: str
    sid: str


class IdTokens:
    def __init__(
        self, keyring: Keyring, *, issuer: str, ttl_s: int, now: Callable[[], float] = time.time
    ) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._ttl_s = ttl_s
        self._now = now

    def issue(
        self,
        *,
        user_id: str,
        client_id: str,
        sid: str,
        access_token: str,
        auth_time: int | None = None,
        nonce: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """`more` are claims of the user. After a refresh `auth_time` is as before, and no `nonce` (12.2)."""
        key, now = self._keyring.signing, int(self._now())
        claims: dict[str, Any] = {
            **(more or {}),
            "iss": self._issuer,
            "sub": user_id,
            "aud": client_id,
            "azp": client_id,
            "iat": now,
            "exp": now + self._ttl_s,
            "acr": ACR,
            "amr": _AMR,
            "sid": sid,
            "at_hash": hash_of(access_token, key.algorithm),
        }
        claims |= {} if auth_time is None else {"auth_time": auth_time}
        claims |= {} if nonce is None else {"nonce": nonce}
        return key.sign_jwt("JWT", claims)

    async def read(self, token: str) -> Hint | None:
        """What the token tells, though it has expired; None if it is not an ID token of ours.

        Clients keep the token of a sign-in for weeks, to sign out with it or to name the user.
        """
        try:
            header, payload, signature = sealing.split(token[:_LONGEST], 3)
            told, claims = sealing.read_object(header), sealing.read_object(payload)
            key = await self._keyring.find_fresh(str(told.get("kid")))
        except ValueError:
            return None
        if key is None or (told.get("typ"), told.get("alg")) != ("JWT", key.algorithm):
            return None
        if not key.verify(token.rpartition(".")[0].encode(), signature) or claims["iss"] != self._issuer:
            return None
        return Hint(claims["sub"], claims["aud"], claims["sid"])


def hash_of(access_token: str, algorithm: str) -> str:
    """`at_hash`: the left half of the token's hash (section 3.1.3.6)."""
    digest = hashlib.new(_HASHES.get(algorithm, "sha256"), access_token.encode()).digest()
    return sealing.encode(digest[: len(digest) // 2])
