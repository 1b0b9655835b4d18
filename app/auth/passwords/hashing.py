"""Argon2id hashes: made, verified in a time that reveals nothing, and renewed where they are outdated."""

import base64
import secrets
from dataclasses import dataclass

import structlog
from pwdlib.hashers.argon2 import Argon2Hasher

from app.auth.passwords import imported
from app.auth.passwords.pool import AtTurn, HashingPool
from app.auth.passwords.text import encode, find_spellings, prepare

LONGEST = 1024
"""Characters, as typed. No password that the policy accepts is longer in any composition."""

_SALT_BYTES, _HASH_BYTES = 16, 32

log = structlog.get_logger("roster.passwords")


@dataclass(frozen=True, slots=True)
class Cost:
    """The parameters of Argon2id."""

    memory_kib: int
    passes: int
    lanes: int

    def make_hasher(self) -> Argon2Hasher:
        return Argon2Hasher(
            memory_cost=self.memory_kib,
            time_cost=self.passes,
            parallelism=self.lanes,
            salt_len=_SALT_BYTES,
            hash_len=_HASH_BYTES,
        )

    def make_decoy(self) -> str:
        """A hash with a random sum, which no password matches and nobody had to compute."""
        salt, checksum = (
            base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
            for size in (_SALT_BYTES, _HASH_BYTES)
        )
        return f"$argon2id$v=19$m={self.memory_kib},t={self.passes},p={self.lanes}${salt}${checksum}"


OWASP_MINIMUM = Cost(memory_kib=19_456, passes=2, lanes=1)
"""OWASP's Password Storage Cheat Sheet."""


@dataclass(frozen=True, slots=True)
class Verdict:
    matches: bool
    rehashed: str | None
    """A hash to store instead, if the password matches and the stored hash is outdated."""


class Passwords:
    """Hashes and verifies passwords in threads; one per process."""

    def __init__(self, *, threads: int, waiting: int, cost: Cost = OWASP_MINIMUM) -> None:
        """`threads` of 0: one for each core, 19 MiB each while it hashes. Only tests hash at less cost."""
        self._pool = HashingPool(threads=threads, waiting=waiting)
        self._hasher = cost.make_hasher()
        self._decoy = cost.make_decoy()

    @property
    def running(self) -> int:
        """Passwords being hashed."""
        return self._pool.running

    @property
    def waiting(self) -> int:
        """Passwords whose turn has not come."""
        return self._pool.waiting

    def check_room(self) -> None:
        """Raise `TooManySignInsError` if a password would get no turn; call it before reading anything."""
        self._pool.check_room()

    async def hash(self, password: str, *, at_turn: AtTurn | None = None) -> str:
        """The PHC string of a password that the policy accepts. `at_turn` and errors as in `verify`."""
        return await self._pool.run(lambda: self._hash(password), at_turn)

    async def verify(self, password: str, stored: str | None, *, at_turn: AtTurn | None = None) -> Verdict:
        """Whether `stored` is a hash of `password`; None stands for an unknown account or no password.

        None, an unreadable hash and a password past `LONGEST` never match, and cost as much as a wrong
        password. Only hashes that are imported or outdated cost more; there, too, right and wrong cost the
        same.

        `at_turn` is awaited when the turn has come, before anything is computed, so that the caller can check
        again. Raises its errors, and `TooManySignInsError`.
        """
        if stored is not None and not imported.is_readable(stored):
            log.error("stored_password_unreadable")
            stored = None
        return await self._pool.run(lambda: self._judge(password, stored), at_turn)

    def close(self) -> None:
        """End the threads; later calls fail."""
        self._pool.close()

    def _hash(self, password: str) -> str:
        return self._hasher.hash(encode(prepare(password)))

    def _judge(self, password: str, stored: str | None) -> Verdict:
        against = stored or self._decoy
        # Always all of them: a match at the first spelling must not be faster than none at the last.
        found = [imported.verify(text, against) for text in find_spellings(password[:LONGEST])]
        matches = any(found) and stored is not None and len(password) <= LONGEST
        if self._is_current(against):
            return Verdict(matches, None)
        # Made even if it is thrown away: else the time would reveal a right password of a disabled account.
        fresh = self._hash(password[:LONGEST])
        return Verdict(matches, fresh if matches else None)

    def _is_current(self, stored: str) -> bool:
        """Whether the hash has these parameters; stronger ones are renewed, too: their time would differ."""
        return stored.startswith("$argon2") and not self._hasher.check_needs_rehash(stored)
