"""The keys of access tokens as one process knows them: which signs, which verify, when they change."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NoReturn, Self

import pymongo
import structlog
from pymongo.errors import PyMongoError

from app.auth.key_store import KeyStore, StoredKey
from app.auth.signing_keys import SigningKey, VerifyingKey
from app.core.errors import UnavailableError
from app.core.mongo import Database

log = structlog.get_logger("roster.keys")

PUBLISH_AHEAD_S = 60
"""A new key is published so long before it signs, for the other processes and for caches of the JWK set."""

LEEWAY_S = 30
"""What clocks may differ by: a key verifies so long after its last token has expired."""

LOOK_AGAIN_S = 5
"""Unknown key ids make a process read the keys at most once in this time, however many come."""

_LOOK_S = 1.0
"""How long a request with an unknown key id may wait for MongoDB."""

FIRST_ALGORITHM = "ES256"
"""Of the first key, unless another is set: every usual library of resource servers reads it."""

JWKs = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key."""

    kid: str
    algorithm: str
    created_at: datetime
    signs_from: datetime
    verifies_until: datetime | None
    state: Literal["will sign", "signs", "verifies"]


KeyInfos = list[KeyInfo]


class Keyring:
    """Found keys cost no MongoDB query; `keep_current` and unknown key ids make it read them again."""

    generation: int
    """Raised whenever the set of keys changed: what was verified under another is not known to be good."""

    def __init__(
        self,
        store: KeyStore,
        keys: Iterable[StoredKey] = (),
        *,
        algorithm: str | None,
        token_ttl_s: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`keys`: newest first. `open` reads them. `algorithm` None: each new key has that of the newest."""
        self.generation = 0
        self._store = store
        self._keys = {key.verifying.kid: key for key in keys}
        self._algorithm = algorithm
        self._lifetime = timedelta(seconds=token_ttl_s + LEEWAY_S)
        self._clock = now
        self._lock = asyncio.Lock()
        self._look_again_at = self._now()

    @classmethod
    async def open(
        cls,
        database: Database,
        secret: str,
        *,
        algorithm: str | None,
        token_ttl_s: int,
        now: Callable[[], float] = time.time,
        sign: bool = True,
    ) -> Self:
        """Of the keys in MongoDB; to `sign`, with a new one where none can, or none with this algorithm.

        Processes that start at the same time end up with the same keys: they compete for its number.
        """
        store = KeyStore(database, secret)
        keyring = cls(store, algorithm=algorithm, token_ttl_s=token_ttl_s, now=now)
        await store.prepare()
        await keyring._read()
        if sign:
            await keyring._settle()
        return keyring

    @property
    def signing(self) -> SigningKey:
        """The newest whose time to sign has come. UnavailableError: there is none, and MongoDB is away."""
        if (key := self._find_signing()) is None:
            raise UnavailableError("There is no key to sign access tokens with at the moment.")
        return key

    def find(self, kid: str) -> VerifyingKey | None:
        """A look into a dictionary; the id is nothing but its key."""
        key = self._keys.get(kid)
        return key.verifying if key is not None and _is_good(key, self._now()) else None

    async def find_fresh(self, kid: str) -> VerifyingKey | None:
        """As `find`, after reading the keys again for an unknown id, if that was not done just now."""
        if (key := self.find(kid)) is not None:
            return key
        async with self._lock:  # who comes while another reads has the benefit of it
            if self.find(kid) is None and self._now() >= self._look_again_at:
                self._look_again_at = self._now() + timedelta(seconds=LOOK_AGAIN_S)
                with pymongo.timeout(_LOOK_S):
                    await self._refresh()
        return self.find(kid)

    def public(self) -> JWKs:
        """The JWK set's `keys` (RFC 7517): all that may verify, also one that is yet to sign."""
        now = self._now()
        return [
            key.verifying.public | {"kid": key.verifying.kid, "use": "sig", "alg": key.verifying.algorithm}
            for key in self._keys.values()
            if _is_good(key, now)
        ]

    async def refresh(self) -> None:
        """Read the keys again; while MongoDB is away, keep what there is."""
        async with self._lock:
            await self._refresh()

    async def rotate(self, *, at_once: bool = False) -> str:
        """The id of a new key. It signs after PUBLISH_AHEAD_S; the others verify until their tokens expire.

        `at_once` is for a stolen key: the new one signs now and all others are gone, and with them every
        access token. Other processes follow with their next `refresh` or the first token of the new key.
        """
        async with self._lock:
            await self._read()
            while (key := await self._add(0 if at_once else PUBLISH_AHEAD_S)) is None:
                await self._read()
            if at_once:
                await self._store.remove_older(key)
            await self._read()
        return key.verifying.kid

    async def list(self) -> KeyInfos:
        """Newest first, as MongoDB has them now."""
        async with self._lock:
            await self._read()
        return [self._describe(key) for key in self._keys.values()]

    def _find_signing(self) -> SigningKey | None:
        now, found = self._now(), None
        for key in self._keys.values():
            if key.signing is not None and _is_good(key, now):
                found = key.signing
                if key.signs_from <= now:
                    return found
        return found  # the oldest, whose maker's clock is ahead of ours

    def _describe(self, key: StoredKey) -> KeyInfo:
        signs = key.signing is not None and key.signing is self._find_signing()
        will_sign = key.signs_from > self._now()
        return KeyInfo(
            kid=key.verifying.kid,
            algorithm=key.verifying.algorithm,
            created_at=key.created_at,
            signs_from=key.signs_from,
            verifies_until=key.verifies_until,
            state="signs" if signs else "will sign" if will_sign else "verifies",
        )

    async def _refresh(self) -> None:
        try:
            await self._read()
            if self._find_signing() is None:
                await self._settle()
        except PyMongoError as error:
            log.warning("keys_not_read", error=type(error).__name__)

    async def _read(self) -> None:
        keys, now = await self._store.read(), self._now()
        if not all(_is_good(key, now) for key in keys):
            await self._store.remove_expired(now)
        found = {key.verifying.kid: key for key in keys if _is_good(key, now)}
        if found.keys() != self._keys.keys():
            self.generation += 1
        self._keys = found

    async def _settle(self) -> None:
        """Until the newest key can sign with the algorithm that is set."""
        while True:
            newest = self._newest
            if newest is None or newest.signing is None:
                await self._add(0)
            elif newest.signing.algorithm != self._next_algorithm:
                await self._add(PUBLISH_AHEAD_S)
            else:
                return
            await self._read()

    @property
    def _newest(self) -> StoredKey | None:
        return next(iter(self._keys.values()), None)

    @property
    def _next_algorithm(self) -> str:
        newest = self._newest
        return self._algorithm or (newest.verifying.algorithm if newest else FIRST_ALGORITHM)

    async def _add(self, ahead_s: int) -> StoredKey | None:
        """None if another process added one since the keys were read."""
        now, algorithm = self._now(), self._next_algorithm
        signs_from = now + timedelta(seconds=ahead_s)
        key = await self._store.add(algorithm, created_at=now, signs_from=signs_from)
        if key is not None:
            await self._store.retire(key, signs_from + self._lifetime)
            log.info("signing_key_made", kid=key.verifying.kid, algorithm=algorithm)
        return key

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


async def keep_current(keyring: Keyring, every_s: float = 15.0) -> NoReturn:
    """Endless: run it as a task."""
    while True:
        await asyncio.sleep(every_s)
        await keyring.refresh()


def _is_good(key: StoredKey, now: datetime) -> bool:
    return key.verifies_until is None or now < key.verifies_until
