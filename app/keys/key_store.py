"""The signing keys in MongoDB: private halves sealed, and numbers that decide races."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from app.core.mongo import AWARE, Database
from app.core.sealing import BrokenSealError, Sealer
from app.keys.signing_keys import SigningKey, VerifyingKey
from models.token import SealedKey

log = structlog.get_logger("roster.keys")

_Halves = tuple[VerifyingKey, SigningKey | None]


@dataclass(frozen=True, slots=True)
class StoredKey:
    number: int
    """1 for the first key; the highest is the newest."""
    created_at: datetime
    signs_from: datetime
    verifies_until: datetime | None
    """None until another key takes over."""
    verifying: VerifyingKey
    signing: SigningKey | None
    """None where the private half was sealed under another secret."""


class KeyStore:
    def __init__(self, database: Database, secret: str) -> None:
        self._collection = database["keys"].with_options(
            codec_options=AWARE, write_concern=WriteConcern("majority"), read_concern=ReadConcern("majority")
        )
        self._sealer = Sealer(secret, "signing keys")
        self._opened: dict[tuple[str, bytes], _Halves] = {}
        self._highest = 0

    async def prepare(self) -> None:
        await self._collection.create_indexes(SealedKey.Settings.indexes)

    async def read(self) -> list[StoredKey]:
        """All keys, the newest first. A malformed document is left out, with a log line."""
        documents = await self._collection.find().sort("number", -1).to_list()
        self._highest = max((d["number"] for d in documents if isinstance(d.get("number"), int)), default=0)
        before, self._opened = self._opened, {}
        found = [await asyncio.to_thread(self._read_one, document, before) for document in documents]
        return [key for key in found if key is not None]

    async def add(self, algorithm: str, *, created_at: datetime, signs_from: datetime) -> StoredKey | None:
        """Add a key with the number after those last read; None if another process took the number."""
        signing = await asyncio.to_thread(SigningKey.generate, algorithm)
        document: dict[str, Any] = {
            "_id": signing.kid,
            "number": self._highest + 1,
            "algorithm": algorithm,
            "public": signing.public(),
            "sealed": self._sealer.seal(orjson.dumps(signing.private()), signing.kid.encode()),
            "created_at": created_at,
            "signs_from": signs_from,
            "verifies_until": None,
        }
        try:
            await self._collection.insert_one(document)
        except DuplicateKeyError:
            return None
        verifying = VerifyingKey.load(signing.kid, algorithm, document["public"])
        return self._to_key(document, {(signing.kid, document["sealed"]): (verifying, signing)})

    async def retire(self, before: StoredKey, verifies_until: datetime) -> None:
        """Give every key older than `before` an end, unless it has one."""
        older = {"number": {"$lt": before.number}, "verifies_until": None}
        await self._collection.update_many(older, {"$set": {"verifies_until": verifies_until}})

    async def remove_older(self, than: StoredKey) -> None:
        await self._collection.delete_many({"number": {"$lt": than.number}})

    async def remove_expired(self, now: datetime) -> None:
        await self._collection.delete_many({"verifies_until": {"$lte": now}})

    def _read_one(
        self, document: dict[str, Any], before: dict[tuple[str, bytes], _Halves]
    ) -> StoredKey | None:
        try:
            return self._to_key(document, before)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("signing_key_unreadable", kid=str(document.get("_id")), error=type(error).__name__)
            return None

    def _to_key(self, document: dict[str, Any], before: dict[tuple[str, bytes], _Halves]) -> StoredKey:
        name = (document["_id"], document["sealed"])
        halves = self._opened[name] = before.get(name) or self._open(document)
        return StoredKey(
            number=_typed(document["number"], int),
            created_at=_typed(document["created_at"], datetime),
            signs_from=_typed(document["signs_from"], datetime),
            verifies_until=_typed(document["verifies_until"], datetime | None),
            verifying=halves[0],
            signing=halves[1],
        )

    def _open(self, document: dict[str, Any]) -> _Halves:
        kid, algorithm = document["_id"], document["algorithm"]
        verifying = VerifyingKey.load(kid, algorithm, document["public"])
        try:
            private = orjson.loads(self._sealer.open(document["sealed"], kid.encode()))
        except BrokenSealError:
            log.warning("signing_key_sealed_under_another_secret", kid=kid)
            return verifying, None
        return verifying, SigningKey.load(kid, algorithm, private)


def _typed(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(type(value).__name__)
    return value
