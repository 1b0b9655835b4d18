"""The links of provisioning clients: which users and groups exist for a client, and what it said of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from app.core.clock import now
from app.core.cursors import CursorSealer, Position
from app.core.errors import FieldError, UniqueConflictError
from app.core.mongo import AWARE, Database, Row
from app.core.paging import Page, cut
from models.job import PageQuery
from models.provisioned import Kind, StoredLink


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one client to one kind of resource."""

    database: Database
    client: str
    kind: Kind

    @property
    def _stored(self) -> Any:
        return self.database.get_collection(StoredLink.Settings.name, codec_options=AWARE)

    @property
    def _own(self) -> dict[str, Any]:
        return {"client": self.client, "kind": self.kind}

    async def add(
        self, target: ObjectId, said: Mapping[str, Any], session: AsyncClientSession | None = None
    ) -> Row:
        """The new link. UniqueConflictError where the client has given its `externalId` to another."""
        link = self._new(target, said)
        try:
            await self._stored.insert_one(link, session=session)
        except DuplicateKeyError:
            raise _taken() from None
        return link

    async def change(
        self, link: Row, said: Mapping[str, Any], session: AsyncClientSession | None = None
    ) -> Row | None:
        """The link after the change; None where another change came first."""
        told = {"external_id": said.get("externalId"), "said": dict(said), "changed_at": now()}
        condition = {"_id": link["_id"], "revision": link["revision"]}
        try:
            changed: Row | None = await self._stored.find_one_and_update(
                condition, {"$set": told, "$inc": {"revision": 1}}, return_document=True, session=session
            )
        except DuplicateKeyError:
            raise _taken() from None
        return changed

    async def find(self, target: ObjectId) -> Row | None:
        found: Row | None = await self._stored.find_one(self._own | {"target": target})
        return found

    async def find_all(self, targets: Iterable[ObjectId]) -> dict[ObjectId, Row]:
        """The links to some of these, by target."""
        found = self._stored.find(self._own | {"target": {"$in": list(targets)}})
        return {link["target"]: link async for link in found}

    async def find_external(self, external_id: str) -> ObjectId | None:
        link = await self._stored.find_one(self._own | {"external_id": external_id}, {"target": 1})
        return None if link is None else link["target"]

    async def count(self) -> int:
        counted: int = await self._stored.count_documents(self._own, hint="client_target")
        return counted

    async def page(self, *, skip: int, limit: int, after: ObjectId | None = None) -> list[Row]:
        """Links in the order of their targets' ids, past one of these."""
        found = self._own if after is None else self._own | {"target": {"$gt": after}}
        cursor = self._stored.find(found, hint="client_target").sort("target", 1).skip(skip).limit(limit)
        links: list[Row] = await cursor.to_list()
        return links

    async def list_page(self, cursors: CursorSealer, asked: PageQuery) -> Page[Row]:
        """Links in the order of their targets' ids."""
        of = orjson.dumps([StoredLink.Settings.name, self._own])
        after = None if asked.cursor is None else cursors.open(asked.cursor, of).id
        found = await self.page(skip=0, limit=asked.limit + 1, after=after)
        return cut(found, asked.limit, lambda last: cursors.seal(Position(0, None, last["target"]), of))

    async def give(self, target: ObjectId) -> bool:
        """Link what an administrator gives to the client; False if it is linked already."""
        try:
            await self._stored.insert_one(self._new(target, {}))
        except DuplicateKeyError:
            return False
        return True

    async def take(self, target: ObjectId) -> bool:
        """Delete the link; False if there is none."""
        taken = await self._stored.delete_one(self._own | {"target": target})
        return bool(taken.deleted_count)

    def _new(self, target: ObjectId, said: Mapping[str, Any]) -> Row:
        return {
            "_id": ObjectId(),
            **self._own,
            "target": target,
            "external_id": said.get("externalId"),
            "said": dict(said),
            "revision": 1,
            "changed_at": now(),
        }


def _taken() -> UniqueConflictError:
    told = FieldError(pointer="/externalId", detail="The client has given it to another resource.")
    return UniqueConflictError("Another resource has this externalId.", errors=(told,))
