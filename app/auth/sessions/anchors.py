"""The facts about sessions in MongoDB, which is the authority behind Redis."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from app import audit
from app.audit.write import COMMAND_LINE, Also, Author
from app.auth.sessions.session_ids import session_of
from app.clients import find_registrations
from app.core.mongo import Database
from app.database.driver_errors import DUPLICATE_KEY
from app.database.transactions import together
from app.users.generations import generation_of

CLIENT_GENERATION = 0
"""Of the sessions of a client as itself: they end with the client, whose `subject` no other one is given."""


class Anchors:
    def __init__(self, database: Database, *, kept_s: int) -> None:
        """`kept_s`: the longest life of a session, and so how long its end is remembered."""
        self._users = database["users"]
        self._ended = database["ended_sessions"]
        self._clients = database["clients"]
        self._kept = timedelta(seconds=kept_s)

    async def find_generation(self, user_id: str) -> int | None:
        """The generation of valid sessions; None for a user who may have none."""
        wanted = {"is_active": 1, "credentials.generation": 1}
        user = await self._users.find_one({"_id": ObjectId(user_id)}, wanted)
        if user is None:
            return await self._find_generation_of_client(user_id)
        return generation_of(user) if user.get("is_active") is True else None

    async def _find_generation_of_client(self, subject: str) -> int | None:
        client = await self._clients.find_one({"subject": ObjectId(subject)}, {"_id": 1})
        return None if client is None else CLIENT_GENERATION

    async def raise_generation(
        self, user_id: str, author: Author = COMMAND_LINE, also: Also | None = None
    ) -> int | None:
        """End all sessions of the user: the new generation, or None if there is no such user."""
        whom = ObjectId(user_id)

        async def write(session: AsyncClientSession) -> int | None:
            changed = await self._users.find_one_and_update(
                {"_id": whom},
                {"$inc": {"credentials.generation": 1}},
                {"credentials.generation": 1},
                return_document=True,
                session=session,
            )
            if changed is None:
                return None
            ended = audit.write.entry(author, "signed_out", whom)
            await audit.write.add(self._users.database, [ended], session, also)
            return int(changed["credentials"]["generation"])

        return await together(self._users.database.client, write)

    async def raise_generation_to(self, user_id: str, generation: int) -> None:
        await self._users.update_one(
            {"_id": ObjectId(user_id)}, {"$max": {"credentials.generation": generation}}
        )

    async def find_registrations(self, client_ids: Iterable[str]) -> dict[str, str]:
        """The registrations of clients by id; sessions of another registration have ended."""
        return await find_registrations(self._clients, client_ids)

    async def find_end(self, sid: str) -> str | None:
        """Why the session, or the browser session that it is within, was ended, if it was ended singly."""
        ended = await self._ended.find_one({"_id": {"$in": sorted({sid, session_of(sid)})}})
        return str(ended["reason"]) if ended is not None else None

    async def find_ended(self, sids: Sequence[str]) -> set[str]:
        """The sessions that were ended singly."""
        found = await self._ended.find({"_id": {"$in": list(sids)}}, {"_id": 1}).to_list()
        return {str(ended["_id"]) for ended in found}

    async def end(self, sids: Sequence[str], reason: str) -> None:
        """Record ends; recorded ones stay as they are."""
        expires_at = datetime.now(UTC) + self._kept
        ends = [{"_id": sid, "reason": reason, "expires_at": expires_at} for sid in sids]
        if not ends:
            return
        try:
            await self._ended.insert_many(ends, ordered=False)
        except BulkWriteError as error:
            if any(write["code"] != DUPLICATE_KEY for write in error.details["writeErrors"]):
                raise
