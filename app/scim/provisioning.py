"""What administrators see and set of provisioning clients: whose users they are, and what they asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from app import audit
from app.clients import Clients
from app.core.cursors import CursorSealer
from app.core.errors import UserNotFoundError
from app.core.mongo import Database, Row
from app.core.paging import Page
from app.scim.activity import Activity
from app.scim.links import Links
from models.job import PageQuery


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Each method: ClientNotFoundError."""

    database: Database
    clients: Clients
    cursors: CursorSealer
    activity: Activity

    async def _links(self, client_id: str) -> Links:
        return Links(self.database, (await self.clients.read(client_id)).id, "User")

    async def list_users(self, client_id: str, asked: PageQuery) -> Page[Row]:
        """The links of a client to users, those first who have been in the directory longest."""
        return await (await self._links(client_id)).list_page(self.cursors, asked)

    async def give_user(self, client_id: str, user_id: ObjectId, *, by: str) -> None:
        """Let a client see a user. UserNotFoundError.

        They are looked for afterwards, as they may be deleted meanwhile.
        """
        links = await self._links(client_id)
        is_new = await links.give(user_id)
        if await self.database["users"].find_one({"_id": user_id}, {"_id": 1}) is None:
            await links.take(user_id)
            raise UserNotFoundError("There is no user with this id.")
        if is_new:
            audit.log.record("user_given", user_id=str(user_id), client_id=client_id, by=by)

    async def take_user(self, client_id: str, user_id: ObjectId, *, by: str) -> None:
        """Hide a user from a client. UserNotFoundError where it does not see them."""
        links = await self._links(client_id)
        if not await links.take(user_id):
            raise UserNotFoundError("There is no user with this id.")
        audit.log.record("user_taken", user_id=str(user_id), client_id=client_id, by=by)

    async def read_activity(self, client_id: str) -> Mapping[str, Any]:
        client = await self.clients.read(client_id)
        return await self.activity.read(client.subject)
