"""The keyring: the keys of access tokens that a process knows, which signs and which verify."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NoReturn, Self

import pymongo
import structlog
from pymongo.errors import PyMongoError

from app import audit
from app.core.errors import UnavailableError
from app.core.mongo import Database
from app.keys.key_store import KeyStore, StoredKey
from app.keys.signing_keys import SigningKey, VerifyingKey

log = structlog.get_logger("roster.keys")

PUBLISH_AHEAD_S = 60
"""How long a new key is published before it signs, for other processes and caches of the JWK set."""

LEEWAY_S = 30
"""The allowed difference of clocks: a key verifies so long after its last token expired."""

LOOK_AGAIN_S = 5
"""Unknown key ids make a process read the keys at most once in this time."""

_LOOK_S = 1.0
"""How long a request with an unknown key id may wait for MongoDB."""

FIRST_ALGORITHM = "ES256"
"""The algorithm of the first key, unless another is set: all usual libraries support it."""

JWKs = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """The public facts of a key."""

    kid: str
    algorithm: str
    created_at: datetime
    signs_from: datetime
    verifies_until: datetime | None
    state: Literal["will_sign", "signs", "verifies"]


KeyInfos = list[KeyInfo]


class Keyring:
    """The keys of access tokens; `keep_current` and unknown key ids make it read them again."""

    generation: int
    """Raised whenever the set of keys changes: tokens verified before must be verified again."""

    def __init__(
        self,
        store: KeyStore,
        keys: Iterable[StoredKey] = (),
        *,
        algorithm: str | None,
        token_ttl_s: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`keys`: newest first, as `open` reads them. `algorithm` None: new keys have that of the newest."""
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
        """The keyring of the keys in MongoDB; with `sign`, it adds one if none can sign with the algorithm.

        Processes that start at the same time compete for its number, and so share the keys.
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
        """The newest key that may sign. UnavailableError: there is none, and MongoDB does not answer."""
        if (key := self._find_signing()) is None:
            raise UnavailableError("There is no key to sign access tokens at the moment.")
        return key

    def find(self, kid: str) -> VerifyingKey | None:
        """The key with this id, from memory."""
        key = self._keys.get(kid)
        return key.verifying if key is not None and _is_good(key, self._now()) else None

    async def find_fresh(self, kid: str) -> VerifyingKey | None:
        """The key with this id; an unknown id makes it read the keys again, unless they were just read."""
        if (key := self.find(kid)) is not None:
            return key
        async with self._lock:  # another request may have read them meanwhile
            if self.find(kid) is None and self._now() >= self._look_again_at:
                self._look_again_at = self._now() + timedelta(seconds=LOOK_AGAIN_S)
                with pymongo.timeout(_LOOK_S):
                    await self._refresh()
        return self.find(kid)

    def public(self) -> JWKs:
        """The JWK set's `keys` (RFC 7517): all that verify, and the next one to sign."""
        now = self._now()
        return [
            key.verifying.public | {"kid": key.verifying.kid, "use": "sig", "alg": key.verifying.algorithm}
            for key in self._keys.values()
            if _is_good(key, now)
        ]

    async def refresh(self) -> None:
        """Read the keys again; keep the old ones while MongoDB does not answer."""
        async with self._lock:
            await self._refresh()

    async def rotate(self, *, at_once: bool = False, by: str | None = None) -> KeyInfo:
        """Add a key. It signs after PUBLISH_AHEAD_S; others verify while they have tokens.

        `at_once` is for a stolen key: the new one signs now, and the others and all their access tokens are
        void. Other processes follow with their next `refresh` or the first token of the new key.
        """
        async with self._lock:
            await self._read()
            while (key := await self._add(0 if at_once else PUBLISH_AHEAD_S)) is None:
                await self._read()
            if at_once:
                await self._store.remove_older(key)
            await self._read()
        audit.log.record("signing_key_made", kid=key.verifying.kid, at_once=at_once, by=by)
        return self._describe(self._keys[key.verifying.kid])

    async def make_next(self, *, by: str) -> KeyInfo:
        """The key that waits to sign; where none does, a new one, as of `rotate`."""
        waiting = [key for key in await self.list() if key.state == "will_sign"]
        return waiting[0] if waiting else await self.rotate(by=by)

    async def list(self) -> KeyInfos:
        """The keys in MongoDB, the newest first."""
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
        return found  # the oldest, made by a process whose clock is ahead

    def _describe(self, key: StoredKey) -> KeyInfo:
        signs = key.signing is not None and key.signing is self._find_signing()
        will_sign = key.signs_from > self._now()
        return KeyInfo(
            kid=key.verifying.kid,
            algorithm=key.verifying.algorithm,
            created_at=key.created_at,
            signs_from=key.signs_from,
            verifies_until=key.verifies_until,
            state="signs" if signs else "will_sign" if will_sign else "verifies",
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
        """Add keys until the newest can sign with the algorithm that is set."""
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
        """Add a key; None if another process added one since the keys were read."""
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
    """Read the keys again and again; run it as a task."""
    while True:
        await asyncio.sleep(every_s)
        await keyring.refresh()


def _is_good(key: StoredKey, now: datetime) -> bool:
    return key.verifies_until is None or now < key.verifies_until
