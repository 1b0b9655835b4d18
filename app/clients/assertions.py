"""Assertions by which clients authenticate: `private_key_jwt` (RFC 7523, sections 2.2 and 3).

A key decides which algorithms it is good for, never the token; `jwk`, `jku` and `x5c` of a header reach no
code. The audience is one text and no list: an assertion that names another server, too, would be good there
(CVE-2025-27370). Each assertion is good once.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from app.clients.client import Client
from app.core import sealing
from app.core.mongo import Row
from app.keys.keyring import LEEWAY_S
from app.keys.signing_keys import VerifyingKey

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
LONGEST_S = 3_600
"""How far ahead an assertion may expire, as Authlib's do; its `jti` is remembered as long."""
_LONGEST = 8_192
_LONGEST_JTI = 256
_SHOWN = ("kty", "crv", "x", "y", "n", "e", "kid", "alg", "use")
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class _Assertion:
    header: Row
    claims: Row
    signed: bytes
    signature: bytes


class Assertions:
    def __init__(self, redis: Redis, issuer: str, *, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._audiences = frozenset({issuer, f"{issuer}/auth/token"})
        self._now = now

    async def verify(self, assertion: str, client: Client) -> None:
        """ValueError unless it is the client's, for this server, good now and not used before."""
        parsed = _parse(assertion)
        jti, seconds = self._check(parsed.claims, client.id)
        if not any(
            key.verify(parsed.signed, parsed.signature) for key in _fitting(client.keys, parsed.header)
        ):
            raise ValueError("no key of the client signed it")
        mark = hashlib.sha256(f"{client.id}\n{jti}".encode()).hexdigest()
        if not await self._redis.set(f"roster:assertion:{mark}", 1, nx=True, ex=seconds):
            raise ValueError("it was used before")

    def _check(self, claims: Row, client_id: str) -> tuple[str, int]:
        """The `jti`, and the seconds for which it must be remembered."""
        now, jti, audience = self._now(), claims.get("jti"), claims.get("aud")
        expires_at, not_before = _time(claims, "exp"), max(_time(claims, "iat"), _time(claims, "nbf"))
        is_named = claims.get("iss") == claims.get("sub") == client_id
        is_for_us = isinstance(audience, str) and audience in self._audiences
        is_now = not_before <= now + LEEWAY_S and now < expires_at <= now + LONGEST_S + LEEWAY_S
        if not (is_named and is_for_us and is_now and isinstance(jti, str) and 0 < len(jti) <= _LONGEST_JTI):
            raise ValueError("a claim is missing or wrong")
        return jti, int(expires_at - now) + LEEWAY_S


def find_client_id(assertion: str) -> str | None:
    """The client that the assertion names, unverified; None if it is malformed."""
    try:
        named = _parse(assertion).claims.get("sub")
    except ValueError:
        return None
    return named if isinstance(named, str) else None


def read_key(jwk: Row) -> Row:
    """The members that are kept of a public JWK (RFC 7517). ValueError says what is wrong with it."""
    if not _PRIVATE.isdisjoint(jwk):
        raise ValueError("Must be a public key, without its private part.")
    kept = {name: jwk[name] for name in _SHOWN if name in jwk}
    if not all(isinstance(value, str) for value in kept.values()) or not any(_load(kept, *ALGORITHMS)):
        raise ValueError(
            f"Must be a key for {', '.join(ALGORITHMS)}: P-256, Ed25519, or RSA of 2048 bits or more."
        )
    return kept


def _parse(assertion: str) -> _Assertion:
    if len(assertion) > _LONGEST:
        raise ValueError("it is too long")
    header, claims, signature = sealing.split(assertion, 3)
    parsed = sealing.read_object(header), sealing.read_object(claims)
    if "crit" in parsed[0]:
        raise ValueError("it asks for extensions (RFC 7515, section 4.1.11)")
    return _Assertion(*parsed, assertion.rpartition(".")[0].encode(), signature)


def _time(claims: Row, name: str) -> float:
    """A NumericDate (RFC 7519, section 2), long ago if it is missing; ValueError if it is none."""
    value = claims.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a time")  # noqa: TRY004  (the caller's data, not our types)
    return value


def _fitting(keys: Iterable[Row], header: Row) -> Iterator[VerifyingKey]:
    """The keys that the header may mean: of its `kid`, if both have one, and for its algorithm."""
    kid = header.get("kid")
    for key in keys:
        if kid is None or key.get("kid", kid) == kid:
            yield from _load(key, header.get("alg"))


def _load(key: Row, *algorithms: Any) -> Iterator[VerifyingKey]:
    """The key for each of the algorithms that it is good for."""
    for algorithm in ALGORITHMS:
        if (
            algorithm in algorithms
            and key.get("alg", algorithm) == algorithm
            and key.get("use", "sig") == "sig"
        ):
            with suppress(ValueError):
                yield VerifyingKey.load_foreign(key.get("kid", ""), algorithm, key)
