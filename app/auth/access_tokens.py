"""Access tokens: JWTs by RFC 9068, issued and verified, with a cache of valid ones.

A token is refused unless its header has exactly the three members that `issue` writes, so that `jwk`, `jku`,
`x5c`, `crit`, `zip` or `b64` reach no code that might use them.
"""

import math
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.auth.sessions import user_of
from app.core import sealing
from app.core.errors import ExpiredTokenError, InvalidTokenError
from app.keys.keyring import LEEWAY_S, Keyring
from app.keys.signing_keys import VerifyingKey

LONGEST = 8192
"""Characters; a longer token is refused before it is decoded."""

CACHED = 10_000
"""Verified tokens that a process caches."""

_TYPES = frozenset({"at+jwt", "application/at+jwt"})  # RFC 9068, section 4; in any case of letters
_HEADER = frozenset({"alg", "kid", "typ"})
_LONGEST_KID = 128
_USER_ID = re.compile(r"[0-9a-f]{24}")
_TIMES = range(2**53)  # integers that every JSON reader keeps exact


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid access token; times in seconds since 1970."""

    user_id: str
    """The principal's: a user's, or the `subject` of a client that acts as itself."""
    sid: str
    client_id: str
    scopes: frozenset[str]
    issued_at: int
    expires_at: int
    jti: str
    is_opaque: bool = False
    """Whether the token is no JWT, but one that was made to be kept (`app.auth.opaque_tokens`)."""
    is_service: bool = False
    """Whether a client acts as itself."""

    @property
    def subject(self) -> str:
        """`sub`: the user's id, or the client's (RFC 9068, section 2.2)."""
        return self.client_id if self.is_service else self.user_id


class AccessTokens:
    def __init__(
        self,
        keyring: Keyring,
        *,
        issuer: str,
        audience: str,
        ttl_s: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._audience = audience
        self._ttl_s = ttl_s
        self._now = now
        self._good: OrderedDict[str, Claims] = OrderedDict()
        self._generation = keyring.generation

    def issue(
        self,
        *,
        user_id: str,
        sid: str,
        client_id: str,
        scopes: Iterable[str],
        session_ends_at: float = math.inf,
        is_service: bool = False,
    ) -> tuple[str, Claims]:
        """A token valid for as long as is set, but no longer than its session (seconds since 1970)."""
        now = int(self._now())
        expires_at = max(now, int(min(now + self._ttl_s, session_ends_at)))
        jti, granted = secrets.token_hex(16), frozenset(scopes)
        claims = Claims(user_id, sid, client_id, granted, now, expires_at, jti, is_service=is_service)
        return self._keyring.signing.sign_jwt("at+jwt", self._write(claims)), claims

    def known(self, token: str) -> Claims | None:
        """The claims of a cached token that has not expired and whose keys are unchanged."""
        claims = self._good.get(token)
        if claims is None or self._generation != self._keyring.generation or claims.expires_at <= self._now():
            return None
        return claims

    async def verify(self, token: str) -> Claims:
        """The claims of a token. InvalidTokenError, or ExpiredTokenError if only its time is over."""
        if len(token) > LONGEST:
            raise InvalidTokenError(f"The access token is longer than {LONGEST} characters.")
        if (claims := self.known(token)) is not None:
            return claims
        header, payload, signature = _take_apart(token)
        key = await self._find_key(header)
        if not key.verify(token.rpartition(".")[0].encode(), signature):
            raise InvalidTokenError("The signature of the access token is wrong.")
        claims = self._read(payload)
        self._remember(token, claims)
        return claims

    async def _find_key(self, header: dict[str, Any]) -> VerifyingKey:
        kid, typ = header["kid"], header["typ"]
        if not isinstance(typ, str) or typ.lower() not in _TYPES:
            raise InvalidTokenError("The token is not an access token.")
        if not isinstance(kid, str) or len(kid) > _LONGEST_KID:
            raise _wrong_header()
        key = await self._keyring.find_fresh(kid)
        if key is None:
            raise InvalidTokenError("The access token names an unknown signing key.")
        if header["alg"] != key.algorithm:
            raise _wrong_header()
        return key

    def _read(self, payload: bytes) -> Claims:
        claims = _read_object(payload)
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self._issuer or self._audience not in named:
            raise InvalidTokenError("The access token is from another issuer or for another audience.")
        subject, client_id, sid = (_read_text(claims, name) for name in ("sub", "client_id", "sid"))
        is_service = subject == client_id
        found = Claims(
            user_id=_read_principal(sid) if is_service else _read_user_id(subject),
            sid=sid,
            client_id=client_id,
            scopes=read_scopes(_read_text(claims, "scope", may_be_empty=True)),
            issued_at=_read_time(claims, "iat"),
            expires_at=_read_time(claims, "exp"),
            jti=_read_text(claims, "jti"),
            is_service=is_service,
        )
        self._check_times(found, _read_time(claims, "nbf"))
        return found

    def _check_times(self, claims: Claims, not_before: int) -> None:
        """Check `iat` and `nbf` with leeway for clocks; `exp` has none, as tokens live much longer."""
        now = self._now()
        if max(claims.issued_at, not_before) > now + LEEWAY_S:
            raise InvalidTokenError("The access token is not valid yet.")
        if claims.expires_at <= now:
            raise ExpiredTokenError("The access token has expired: use the refresh token to get another.")

    def _write(self, claims: Claims) -> dict[str, Any]:
        return {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": claims.subject,
            "client_id": claims.client_id,
            "iat": claims.issued_at,
            "nbf": claims.issued_at,
            "exp": claims.expires_at,
            "jti": claims.jti,
            "sid": claims.sid,
            "scope": " ".join(sorted(claims.scopes)),
        }

    def _remember(self, token: str, claims: Claims) -> None:
        if self._generation != self._keyring.generation:
            self._good.clear()
            self._generation = self._keyring.generation
        self._good[token] = claims
        if len(self._good) > CACHED:
            self._good.popitem(last=False)


def _take_apart(token: str) -> tuple[dict[str, Any], bytes, bytes]:
    try:
        first, payload, signature = sealing.split(token, 3)
    except ValueError:
        raise InvalidTokenError("The access token is not a signed JWT in compact form.") from None
    header = _read_object(first)
    if header.keys() != _HEADER:
        raise _wrong_header()
    return header, payload, signature


def _read_object(content: bytes) -> dict[str, Any]:
    try:
        return sealing.read_object(content)
    except ValueError:
        raise InvalidTokenError("The access token does not contain strict JSON objects.") from None


def _read_user_id(subject: str) -> str:
    if not _USER_ID.fullmatch(subject):
        raise _wrong_claims()
    return subject


def _read_principal(sid: str) -> str:
    """The subject of a client, which only the session's id tells."""
    if (principal := user_of(sid)) is None:
        raise _wrong_claims()
    return principal


def _read_text(claims: dict[str, Any], name: str, *, may_be_empty: bool = False) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not (value or may_be_empty):
        raise _wrong_claims()
    return value


@lru_cache(maxsize=64)
def read_scopes(text: str) -> frozenset[str]:
    """The scopes; one cached set for all tokens with the same, as it is a third of a token's memory."""
    return frozenset(text.split())


def _read_time(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or value not in _TIMES:  # a bool is an int, too
        raise _wrong_claims()
    return value


def _wrong_header() -> InvalidTokenError:
    return InvalidTokenError("The header of the access token is not one that Roster issues.")


def _wrong_claims() -> InvalidTokenError:
    return InvalidTokenError("A claim of the access token is missing or of the wrong type.")
