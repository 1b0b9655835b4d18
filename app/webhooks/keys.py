"""The ed25519 keys of webhooks: made when first needed, rotated with an overlap, published."""

import secrets
import time
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.clock import now
from app.core.mongo import AWARE, Database, Row
from app.core.sealing import BrokenSealError, Sealer
from app.webhooks.signing import show_public
from models.webhook import StoredWebhookKey

_FRESH_S = 5.0
_NEWEST: list[tuple[str, int]] = [("created_at", -1)]


class SigningKeys:
    def __init__(self, database: Database, secret: str) -> None:
        self._keys = database.get_collection(StoredWebhookKey.Settings.name, codec_options=AWARE)
        self._sealer = Sealer(secret, "webhook keys")
        self._live: list[Ed25519PrivateKey] = []
        self._read_at = float("-inf")

    async def list_all(self) -> list[Row]:
        """Those that sign, the newest first; the first one is made now."""
        if not (found := await self._find()):
            await self._add()
            found = await self._find()
        return found

    async def rotate(self, *, overlap_s: int) -> list[Row]:
        """Those that sign from now on: a new one, and for some time those before it."""
        await self._add()
        newest, *older = await self._find()
        ends = {"$set": {"expires_at": now() + timedelta(seconds=overlap_s)}}
        unended = {"_id": {"$in": [key["_id"] for key in older]}, "expires_at": None}
        await self._keys.update_many(unended, ends)
        return [newest, *(await self._find())[1:]]

    async def read(self) -> list[Ed25519PrivateKey]:
        """The private halves; a process learns of a rotation within seconds."""
        if time.monotonic() - self._read_at > _FRESH_S:
            opened = [self._open(key) for key in await self.list_all()]
            self._live = [key for key in opened if key is not None]
            self._read_at = time.monotonic()
        return self._live

    async def _find(self) -> list[Row]:
        alive = {"$or": [{"expires_at": None}, {"expires_at": {"$gt": now()}}]}
        return await self._keys.find(alive, sort=_NEWEST).to_list()

    async def _add(self) -> None:
        key, name = Ed25519PrivateKey.generate(), secrets.token_hex(8)
        document: dict[str, Any] = {
            "_id": name,
            "public": show_public(key),
            "sealed": self._sealer.seal(key.private_bytes_raw(), name.encode()),
            "created_at": now(),
            "expires_at": None,
        }
        await self._keys.insert_one(document)

    def _open(self, key: Row) -> Ed25519PrivateKey | None:
        try:
            private = self._sealer.open(key["sealed"], key["_id"].encode())
        except BrokenSealError:  # under another secret key: receivers go by `v1`, or after the next rotation
            return None
        return Ed25519PrivateKey.from_private_bytes(private)
