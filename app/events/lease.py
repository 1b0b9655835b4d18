"""A lease on a document, by MongoDB's clock: one process at a time does the document's work.

The document has `lease` and `lease_until`. What its owner writes names the lease, so that one who was
believed dead writes nothing any more.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from app.core.mongo import Collection, Row
from app.core.stopping import stop

LEASE_S = 10.0


class LeaseLostError(Exception):
    """Another process has the document, or may have."""


class Lease:
    def __init__(self, collection: Collection, key: Any, *, lease_s: float = LEASE_S) -> None:
        self.name = secrets.token_hex(12)
        self._collection = collection
        self._key = key
        self._lease_s = lease_s
        self._held_until = 0.0

    @property
    def held(self) -> Row:
        """The filter of the document while the lease is ours."""
        return {"_id": self._key, "lease": self.name}

    @property
    def is_sure(self) -> bool:
        """Whether nobody else can have it yet, by our own clock."""
        return time.monotonic() < self._held_until

    async def take(self) -> Row | None:
        """The document, if nobody has it."""
        free = {"$or": [{"lease": None}, {"$expr": {"$lt": ["$lease_until", "$$NOW"]}}]}
        return await self._hold({"_id": self._key, **free}, {"lease": self.name})

    async def renew(self) -> Row:
        """The document. LeaseLostError."""
        found = await self._hold(self.held, {})
        if found is None:
            raise LeaseLostError
        return found

    async def give_back(self) -> None:
        """Let another process have it at once."""
        self._held_until = 0.0
        with suppress(PyMongoError):
            await self._collection.update_one(self.held, {"$set": {"lease": None}})

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Renew it until the block is left, which is cancelled once the lease may be lost: LeaseLostError."""
        owner = asyncio.current_task()
        renewing = asyncio.create_task(self._keep(owner))
        try:
            yield
        except asyncio.CancelledError:
            if renewing.done() and owner is not None and owner.uncancel() == 0:
                raise LeaseLostError from None
            raise
        finally:
            await stop(renewing)
            await self.give_back()

    async def _keep(self, owner: asyncio.Task[Any] | None) -> None:
        while self.is_sure:
            await asyncio.sleep(self._lease_s / 3)
            try:
                await self.renew()
            except LeaseLostError:
                break
            except PyMongoError:
                continue
        if owner is not None:
            owner.cancel()

    async def _hold(self, wanted: Row, fields: Row) -> Row | None:
        asked_at = time.monotonic()
        until = {"$add": ["$$NOW", int(self._lease_s * 1000)]}
        found = await self._collection.find_one_and_update(
            wanted, [{"$set": {**fields, "lease_until": until}}], return_document=ReturnDocument.AFTER
        )
        if found is not None:
            self._held_until = asked_at + self._lease_s
        return found
