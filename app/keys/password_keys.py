"""Keys for passwords encrypted in transit (JWE, RFC 7516), for clients behind proxies that end TLS.

Each day has a key, published on that day (UTC) and accepted until the end of the next.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import structlog
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from pymongo import ReturnDocument
from pymongo.write_concern import WriteConcern
from redis.asyncio import Redis

from app.core import sealing
from app.core.errors import FieldError, InvalidError
from app.core.mongo import Database
from app.core.sealing import BrokenSealError, Sealer

log = structlog.get_logger("roster.keys")

LONGEST_JWE = 4096
LONGEST_PASSWORD = 1024
_ALGORITHM, _ENCRYPTION = "RSA-OAEP-256", "A256GCM"
_REGISTRY = jwe.JWERegistry(algorithms=[_ALGORITHM, _ENCRYPTION])
_BITS = 2048
_NAME = re.compile(r"password-([0-9]{4}-[0-9]{2}-[0-9]{2})")
_DAY = timedelta(days=1)
_MARGIN_S = 60
_ANEW = "Encrypt the password anew with the key of GET /auth/keys/password."
_USED = f"It was used already. {_ANEW}"
"""How much longer the mark of a used JWE lives than its key."""


@dataclass(frozen=True, slots=True)
class _PasswordKey:
    name: str
    key: RSAKey = field(repr=False)

    def public(self) -> dict[str, Any]:
        members = self.key.as_dict(private=False)
        return {
            "kty": "RSA",
            "n": members["n"],
            "e": members["e"],
            "kid": self.name,
            "use": "enc",
            "alg": _ALGORITHM,
        }


class PasswordKeys:
    def __init__(
        self,
        database: Database,
        redis: Redis,
        secret: str,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._collection = database["password_keys"].with_options(write_concern=WriteConcern("majority"))
        self._redis = redis
        self._sealer = Sealer(secret, "password keys")
        self._now = now
        self._held: dict[str, _PasswordKey] = {}
        self._making = asyncio.Lock()

    async def public(self) -> dict[str, Any]:
        """Today's JWK; the first call of the day makes it for all processes."""
        name = _name(self._today())
        if (key := self._held.get(name)) is None:
            async with self._making:
                key = await self._find(name) or await self._make(name)
        return key.public()

    async def open(self, sealed: str) -> str:
        """The password of a compact JWE, which can be used once. InvalidError for `/password_jwe`."""
        password, mark, name = await self._decrypt(sealed)
        ends = datetime.combine(_day(name) + 2 * _DAY, datetime.min.time(), UTC).timestamp()
        seconds = int(ends - self._now()) + _MARGIN_S
        if not await self._redis.set(f"roster:jwe:{mark}", 1, nx=True, ex=seconds):
            raise _invalid(_USED)
        return password

    async def _decrypt(self, sealed: str) -> tuple[str, str, str]:
        """The password, a digest of the encrypted parts, and the name of the key."""
        if len(sealed) > LONGEST_JWE:
            raise _invalid()
        try:
            first, _, *parts = sealing.split(sealed, 5)
            name = _read_name(first)
            key = await self._find_accepted(name)
            content = jwe.decrypt_compact(sealed, key.key, registry=_REGISTRY).plaintext
            password = (content or b"").decode()
        except (ValueError, JoseError):
            raise _invalid() from None
        if len(password) > LONGEST_PASSWORD:
            raise _invalid()
        # Of the parts, not the text: the cipher protects only these.
        return password, hashlib.sha256(b"".join(parts)).hexdigest(), name

    async def _find_accepted(self, name: str) -> _PasswordKey:
        """The key; ValueError unless it is of yesterday, today, or of a process whose clock is ahead."""
        if abs(_day(name) - self._today()) > _DAY or (key := await self._find(name)) is None:
            raise ValueError("no key of ours")
        return key

    async def _find(self, name: str) -> _PasswordKey | None:
        if (held := self._held.get(name)) is not None:
            return held
        return await self._hold(await self._collection.find_one({"_id": name}))

    async def _make(self, name: str) -> _PasswordKey:
        """Make a key; the first process wins, but a key that this secret cannot open is replaced."""
        made = await asyncio.to_thread(RSAKey.generate_key, _BITS)
        sealed = self._sealer.seal(orjson.dumps(made.as_dict(private=True)), name.encode())
        kept = await self._collection.find_one_and_update(
            {"_id": name},
            {"$setOnInsert": {"sealed": sealed}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if (key := await self._hold(kept)) is None:
            await self._collection.update_one({"_id": name}, {"$set": {"sealed": sealed}})
            key = self._held[name] = _PasswordKey(name, made)
        await self._collection.delete_many({"_id": {"$lt": _name(self._today() - _DAY)}})
        return key

    async def _hold(self, kept: dict[str, Any] | None) -> _PasswordKey | None:
        """The key of a document; None if there is none, or it was sealed under another secret."""
        if kept is None:
            return None
        name = kept["_id"]
        try:
            private = orjson.loads(self._sealer.open(kept["sealed"], name.encode()))
        except BrokenSealError:
            log.warning("password_key_sealed_under_another_secret", kid=name)
            return None
        oldest = _name(self._today() - _DAY)
        self._held = {other: key for other, key in self._held.items() if other >= oldest}
        self._held[name] = _PasswordKey(name, await asyncio.to_thread(RSAKey.import_key, private))
        return self._held[name]

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()


def _read_name(header: bytes) -> str:
    """The name of a header's key; ValueError unless the header has exactly the required members."""
    members = sealing.read_object(header)
    name = members.pop("kid", None)
    if members != {"alg": _ALGORITHM, "enc": _ENCRYPTION} or not isinstance(name, str):
        raise ValueError("another header")
    return name


def _name(day: date) -> str:
    return f"password-{day.isoformat()}"


def _day(name: str) -> date:
    """The day of a key's name; ValueError if it is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError("no key of ours")
    return date.fromisoformat(found[1])


def _invalid(detail: str = _ANEW) -> InvalidError:
    return InvalidError(detail, errors=(FieldError(detail, "/password_jwe"),))
