"""Consents: what users let clients have, remembered until it is withdrawn or user or client are gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId

from app import audit
from app.auth.sessions import Sessions
from app.clients import BUILT_IN, find_registrations
from app.core.clock import now
from app.core.errors import ClientNotFoundError, ConsentNotFoundError
from app.core.mongo import AWARE, Database
from models.client import StoredConsent

LISTED = 1_000
"""The most consents of one user that a listing shows."""


@dataclass(frozen=True, slots=True)
class Consent:
    client_id: str
    client_name: str
    scopes: list[str]
    given_at: datetime
    """When the user was last asked."""


class Consents:
    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._consents = database[StoredConsent.Settings.name].with_options(codec_options=AWARE)
        self._clients = database["clients"]
        self._sessions = sessions

    async def find(self, user_id: str, client_id: str) -> frozenset[str]:
        """The scopes that the user lets the client have, as it is registered now; empty for none."""
        found = await self._consents.find_one(_of(user_id, client_id))
        if found is None or found["registration"] != await self._registration(client_id):
            return frozenset()
        return frozenset(found["scopes"])

    async def give(self, user_id: str, client_id: str, scopes: Iterable[str]) -> None:
        """Remember scopes besides those that were given before. ClientNotFoundError."""
        registration = await self._registration(client_id)
        if registration is None:
            raise ClientNotFoundError("No registered client has this id.")
        unused = {"_id": client_id, "expires_at": {"$type": "date"}}
        await self._clients.update_one(unused, {"$set": {"expires_at": None}})
        before = {"$cond": [{"$eq": ["$registration", registration]}, "$scopes", []]}
        changes = {
            "scopes": {"$setUnion": [before, sorted(scopes)]},
            "registration": registration,
            "given_at": now(),
        }
        await self._consents.update_one(_of(user_id, client_id), [{"$set": changes}], upsert=True)
        audit.log.record("consent_given", user_id=user_id, client_id=client_id)

    async def withdraw(self, user_id: str, client_id: str, *, by: str | None = None) -> None:
        """Forget a consent, and end the client's sessions. ConsentNotFoundError if there is neither.

        Asked again after a failure, it ends what it did not end before.
        """
        deleted = await self._consents.delete_one(_of(user_id, client_id))
        ended = await self._end(user_id, client_id)
        if not deleted.deleted_count and not ended:
            raise ConsentNotFoundError("The user has given the client no consent.")
        audit.log.record("consent_withdrawn", user_id=user_id, client_id=client_id, by=by)

    async def list_all(self, user_id: str) -> list[Consent]:
        """The consents of a user by client, at most a thousand; none of clients that were removed."""
        wanted = {"user": ObjectId(user_id)}
        found = await self._consents.find(wanted, sort=[("client", 1)], limit=LISTED).to_list()
        ids = [consent["client"] for consent in found]
        clients = await self._clients.find({"_id": {"$in": ids}}, {"name": 1, "registration": 1}).to_list()
        names = {(client["_id"], client.get("registration", "")): client["name"] for client in clients}
        return [
            Consent(consent["client"], name, consent["scopes"], consent["given_at"])
            for consent in found
            if (name := names.get((consent["client"], consent["registration"]))) is not None
        ]

    async def forget_client(self, client_id: str) -> None:
        """Forget all that users let a removed client have."""
        await self._consents.delete_many({"client": client_id})

    async def _registration(self, client_id: str) -> str | None:
        return (await find_registrations(self._clients, [client_id])).get(client_id)

    async def _end(self, user_id: str, client_id: str) -> bool:
        """End the client's grants and sessions of the user; whether there was one."""
        grants = await self._sessions.end_grants(user_id, client_id)
        held = await self._sessions.list_all(user_id) if client_id != BUILT_IN.id else ()  # not of browsers
        own = [session.id for session in held if session.client_id == client_id]
        ended = [await self._sessions.end(user_id, sid) for sid in own]
        return bool(grants) or any(ended)


def _of(user_id: str, client_id: str) -> dict[str, Any]:
    return {"user": ObjectId(user_id), "client": client_id}
