"""The opaque tokens of a principal: create, check, list and end."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import DESCENDING

from app.auth.access_tokens import Claims, read_scopes
from app.auth.opaque_tokens import token_text
from app.auth.opaque_tokens.token_text import OpaqueToken
from app.auth.sessions import PERSONAL, Pin, Sessions
from app.clients import BUILT_IN, Client, Clients
from app.core.clock import now
from app.core.errors import ExpiredTokenError, SessionRevokedError, TooManyTokensError
from app.core.mongo import AWARE, Database
from models.opaque_token import MOST_TOKENS, OpaqueTokenInput, StoredToken

_ORDER = [("created_at", DESCENDING)]
_USE_NOTED_EVERY = timedelta(hours=12)
"""Of the requests that find no session in Redis at once, one writes."""


class OpaqueTokens:
    """`principal`: the id of a user, or the `subject` of a client."""

    def __init__(self, database: Database, sessions: Sessions, clients: Clients) -> None:
        self._tokens = database.get_collection(StoredToken.Settings.name, codec_options=AWARE)
        self._sessions = sessions
        self._clients = clients

    async def create(
        self, principal: str, generation: int, asked: OpaqueTokenInput, client: Client = BUILT_IN
    ) -> tuple[str, dict[str, Any]]:
        """The token, which is shown once, and what is stored of it.

        `generation`: that of the principal's sessions now; whatever raises it ends the token.
        TooManyTokensError if the principal has as many as is allowed.
        """
        of = {"principal": ObjectId(principal)}
        if await self._tokens.count_documents(of | {"generation": generation}) >= MOST_TOKENS:
            raise TooManyTokensError(f"There are {MOST_TOKENS} tokens: end one that is not used.")
        text, token = token_text.make("pat" if client is BUILT_IN else "svc", principal)
        stored = _document(token, generation, asked, client)
        await self._tokens.delete_many(of | {"generation": {"$lt": generation}})
        await self._tokens.insert_one(stored)
        return text, stored

    async def check(self, token: OpaqueToken) -> Claims:
        """The claims of a token whose session lives, in one round trip to Redis; errors as `Sessions.check`.

        Where Redis has no session, MongoDB is asked: SessionRevokedError if it knows no such token, or
        ExpiredTokenError.
        """
        pin = await self._sessions.pins.find(token.user_id, token.sid) or await self._restore(token)
        if not pin.is_sure:
            await self._sessions.check(token.user_id, token.sid, client_id=pin.client_id)
        return Claims(
            user_id=token.user_id,
            sid=token.sid,
            client_id=pin.client_id,
            scopes=read_scopes(pin.scopes),
            issued_at=pin.created_at // 1000,
            expires_at=pin.expires_at // 1000,
            jti=token.sid,
            is_opaque=True,
            is_service=pin.client_id != BUILT_IN.id,
        )

    async def _restore(self, token: OpaqueToken) -> Pin:
        """Pin the session anew, check it, and note the use."""
        stored = await self._tokens.find_one({"_id": token.sid})
        if stored is None:
            raise SessionRevokedError("The token is unknown, or was ended.")
        if stored["expires_at"] <= now():
            raise ExpiredTokenError("The token has expired: make another.")
        if not await self._may_have(stored):
            raise SessionRevokedError("The client of the token is gone, or has lost one of its scopes.")
        pin = Pin(
            client_id=stored["client_id"],
            scopes=" ".join(stored["scopes"]),
            created_at=_milliseconds(stored["created_at"]),
            expires_at=_milliseconds(stored["expires_at"]),
        )
        generation, registration = stored["generation"], stored["registration"]
        await self._sessions.pins.put(token.user_id, token.sid, generation, registration, pin)
        await self._sessions.check(token.user_id, token.sid, client_id=pin.client_id)
        await self._note_use(stored)
        return pin

    async def _may_have(self, stored: Mapping[str, Any]) -> bool:
        """Whether a client still has the scopes of its token; a user who loses one loses all tokens."""
        if stored["registration"] == PERSONAL:
            return True
        client = await self._clients.find(stored["client_id"])
        return client is not None and client.own_scopes.issuperset(stored["scopes"])

    async def _note_use(self, stored: Mapping[str, Any]) -> None:
        last = stored["last_used_at"]
        if last is None or last < now() - _USE_NOTED_EVERY:
            unnoted = {"_id": stored["_id"], "last_used_at": last}
            await self._tokens.update_one(unnoted, {"$set": {"last_used_at": now()}})

    async def list_all(self, principal: str) -> list[dict[str, Any]]:
        """The tokens that are valid, the newest first."""
        generation = await self._sessions.find_generation(principal)
        valid = {"principal": ObjectId(principal), "generation": generation, "expires_at": {"$gt": now()}}
        found = self._tokens.find(valid, sort=_ORDER, limit=MOST_TOKENS)
        return await found.to_list() if generation is not None else []

    async def end(self, principal: str, sid: str) -> bool:
        """End a token; False if the principal has none with this id.

        It is deleted last, so that an end that fails half-way can be tried again.
        """
        known = {"_id": sid, "principal": ObjectId(principal)}
        if await self._tokens.find_one(known, {"_id": 1}) is None:
            return False
        await self._sessions.pins.end(principal, sid)
        await self._tokens.delete_one(known)
        return True

    async def narrow(self, client: Client) -> None:
        """End the client's tokens that hold a scope which is not its own any more."""
        async for stored in self._tokens.find({"principal": ObjectId(client.subject)}):
            if not client.own_scopes.issuperset(stored["scopes"]):
                await self.end(client.subject, stored["_id"])

    async def forget(self, principal: str) -> None:
        """Delete the tokens of a principal that is gone, whose sessions have ended."""
        await self._tokens.delete_many({"principal": ObjectId(principal)})


def _document(token: OpaqueToken, generation: int, asked: OpaqueTokenInput, client: Client) -> dict[str, Any]:
    created_at = now()
    return {
        "_id": token.sid,
        "principal": ObjectId(token.user_id),
        "generation": generation,
        "client_id": client.id,
        "registration": PERSONAL if client is BUILT_IN else client.registration,
        "name": asked.name,
        "scopes": sorted(asked.scopes),
        "created_at": created_at,
        "expires_at": created_at + timedelta(seconds=asked.expires_in),
        "last_used_at": None,
    }


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
