"""The registered clients: kept, changed and identified; by the driver, as tokens are checked by them."""

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError
from redis.asyncio import Redis

from app import audit
from app.clients import client as documents
from app.clients import rules
from app.clients.assertions import Assertions, find_client_id
from app.clients.client import BUILT_IN, BUILT_INS, CONSOLE, Client, NewClient
from app.core import secret_codes
from app.core.clock import now
from app.core.cursors import CursorSealer
from app.core.errors import (
    ClientExistsError,
    ClientHasNoSecretError,
    ClientNotFoundError,
    InvalidClientError,
    InvalidTokenError,
)
from app.core.mongo import AWARE, Collection, Database, Row
from app.core.normalise import name_key
from app.core.paging import Page, by_id
from models.client import DAY_S, StoredClient
from models.job import PageQuery

_BUILT_IN_NAMES = frozenset(name_key(client.name) for client in BUILT_INS.values())
_UNUSED_FOR = timedelta(days=30)
"""How long a client that registered itself may be used by nobody."""


async def find_registrations(clients: Collection, client_ids: Iterable[str]) -> dict[str, str]:
    """The current registrations of clients, by id; the built-in ones need no read."""
    wanted = sorted({*client_ids} - BUILT_INS.keys())
    found = await clients.find({"_id": {"$in": wanted}}, {"registration": 1}).to_list() if wanted else []
    registered = {document["_id"]: document.get("registration", "") for document in found}
    return {client.id: client.registration for client in BUILT_INS.values()} | registered


class Clients:
    def __init__(self, database: Database, redis: Redis, cursors: CursorSealer, *, issuer: str) -> None:
        self._clients = database[StoredClient.Settings.name].with_options(codec_options=AWARE)
        self._assertions = Assertions(redis, issuer)
        self._cursors = cursors
        self._built_in = {
            client.id: replace(client, redirect_uris=(f"{issuer}{path}",))
            for client, path in ((BUILT_IN, "/docs/oauth2-redirect"), (CONSOLE, "/console"))
        }

    async def register(
        self,
        new: NewClient,
        *,
        client_id: str | None = None,
        registration_token: str | None = None,
        by: str | None = None,
    ) -> tuple[Client, str | None]:
        """Register a client; the client and its secret, of which only the hash is stored.

        The id is made from the name by default. `registration_token`: of a client that registers itself.
        InvalidError says what is wrong; ClientExistsError that the id is taken.
        """
        new = rules.check(new)
        if registration_token is not None:
            await self._check_dynamic(new)
        client_id = rules.make_id(new.name) if client_id is None else client_id
        rules.check_id(client_id)
        if client_id in BUILT_INS:
            raise ClientExistsError(f"The id {client_id} is that of a built-in client.")
        secret = secret_codes.make() if new.auth_method.startswith("client_secret") else None
        document = _document(client_id, new, secret, registration_token)
        try:
            await self._clients.insert_one(document)
        except DuplicateKeyError:
            raise ClientExistsError("There is a client with this id already.") from None
        _note("client_registered", client_id, by)
        return documents.read(document), secret

    async def list_all(self) -> list[Client]:
        """The registered clients by id, without the built-in ones; for a terminal."""
        found = await self._clients.find({}, sort=[("_id", ASCENDING)]).to_list()
        return list(map(documents.read, found))

    async def page(self, asked: PageQuery) -> Page[Client]:
        """Clients by id, without the built-in ones."""
        found = await by_id(self._clients, self._cursors, {}, asked)
        return Page(list(map(documents.read, found.items)), found.next)

    async def find(self, client_id: str) -> Client | None:
        """The client as it is now; one read, or none for a built-in client."""
        if client_id in BUILT_INS:
            return self._built_in[client_id]
        document = await self._find(client_id)
        return None if document is None else documents.read(document)

    async def read(self, client_id: str) -> Client:
        """A registered client, so not a built-in one. ClientNotFoundError."""
        document = await self._find(client_id)
        if document is None:
            raise _unknown()
        return documents.read(document)

    async def find_registered(self, client_id: str, token: str) -> Client:
        """A client that registered itself, by its registration access token. InvalidTokenError."""
        document = await self._find(client_id)
        kept = None if document is None else document.get("registration_token_hash")
        if document is None or kept is None or not hmac.compare_digest(kept, secret_codes.digest(token)):
            raise InvalidTokenError("The registration access token is not valid.")
        return documents.read(document)

    async def find_notified(self, client_ids: Iterable[str]) -> set[str]:
        """Those of the clients that are told when a session of a browser ends."""
        wanted = {"_id": {"$in": sorted(client_ids)}, "backchannel_logout_uri": {"$type": "string"}}
        return {client["_id"] for client in await self._clients.find(wanted, {"_id": 1}).to_list()}

    async def change(self, client_id: str, changes: Mapping[str, Any], *, by: str | None = None) -> Client:
        """The client after a change of what `NewClient` has; scopes apply to the next sign-in or refresh.

        Of two at once that change different fields, both are kept. InvalidError; ClientNotFoundError.
        """
        client = await self.read(client_id)
        new = rules.check(replace(client, **changes))
        if client.is_dynamic:
            await self._check_dynamic(new)
        whole = documents.stored(new)
        names = [*changes, "name_key"] if "name" in changes else list(changes)
        changed = await self._clients.find_one_and_update(
            {"_id": client_id},
            {"$set": {name: whole[name] for name in names}},
            return_document=ReturnDocument.AFTER,
        )
        if changed is None:
            raise _unknown()
        _note("client_changed", client_id, by)
        return documents.read(changed)

    async def renew_secret(self, client_id: str, *, overlap_s: int = DAY_S, by: str | None = None) -> str:
        """A new secret; the one before is good for `overlap_s` seconds more, any older one no longer.

        ClientNotFoundError; ClientHasNoSecretError.
        """
        await self.read(client_id)
        secret, until = secret_codes.make(), now() + timedelta(seconds=overlap_s)
        old = {"hash": "$secret_hash", "until": until} if overlap_s else None
        renewed = await self._clients.update_one(
            {"_id": client_id, "secret_hash": {"$type": "string"}},
            [{"$set": {"secret_hash": secret_codes.digest(secret), "old_secret": old}}],
        )
        if not renewed.matched_count:
            raise ClientHasNoSecretError("The client has no secret: it is public, or signs assertions.")
        _note("client_secret_renewed", client_id, by)
        return secret

    async def remove(self, client_id: str, *, by: str | None = None) -> None:
        """Remove a client; `oauth.remove_client` also ends what it holds. ClientNotFoundError."""
        await self.read(client_id)
        await self._clients.delete_one({"_id": client_id})
        _note("client_removed", client_id, by)

    async def identify(
        self, *, client_id: str | None, secret: str | None, assertion: str | None = None
    ) -> Client:
        """Authenticate a client by its secret or a signed assertion. InvalidClientError is always the same.

        With none of them it is the built-in client, without a read; any registered one costs a read at most.
        """
        if assertion is not None:
            return await self._identify_signer(client_id, secret, assertion)
        if secret is None and (client_id or BUILT_IN.id) in BUILT_INS:
            return self._built_in[client_id or BUILT_IN.id]
        document = await self._find(client_id)
        if document is None or not _is_proven(document, secret):
            raise _refused()
        return documents.read(document)

    async def _identify_signer(self, client_id: str | None, secret: str | None, assertion: str) -> Client:
        """RFC 7521, section 4.2: the id may be left out, as the assertion names the client."""
        document = await self._find(client_id or find_client_id(assertion))
        if document is None or secret is not None:
            raise _refused()
        client = documents.read(document)
        try:
            await self._assertions.verify(assertion, client)
        except ValueError:
            raise _refused() from None
        return client

    async def _check_dynamic(self, new: NewClient) -> None:
        """Refuse what a client that registers itself may not be: trusted, or named like one that is."""
        if new.is_first_party:
            raise rules.wrong("is_first_party", "Must stay false, as the client registered itself.")
        key = name_key(new.name)
        known = {"name_key": key, "registration_token_hash": None}
        if key in _BUILT_IN_NAMES or await self._clients.find_one(known, {"_id": 1}) is not None:
            raise rules.wrong("name", "Must not be that of a client which an administrator registered.")

    async def _find(self, client_id: str | None) -> Row | None:
        if client_id is None or not rules.is_id(client_id):
            return None
        return await self._clients.find_one({"_id": client_id})


def _note(event: audit.log.Success, client_id: str, by: str | None) -> None:
    """Log what an administrator or the client `itself` did; the command line tells its operator."""
    if by is not None:
        audit.log.record(event, client_id=client_id, by=by)


def _document(client_id: str, new: NewClient, secret: str | None, registration_token: str | None) -> Row:
    registration = secrets.token_hex(8)
    return documents.stored(new) | {
        "_id": client_id,
        "secret_hash": _digest(secret),
        "old_secret": None,
        "registration": registration,
        "registration_token_hash": _digest(registration_token),
        "expires_at": None if registration_token is None else now() + _UNUSED_FOR,
        "subject": documents.subject_of(client_id, registration),
        "created_at": now(),
    }


def _digest(secret: str | None) -> str | None:
    return None if secret is None else secret_codes.digest(secret)


def _is_proven(document: Row, secret: str | None) -> bool:
    """Whether the secret is the client's or the one before, or the client is public and sends none."""
    if secret is None:
        return documents.read(document).is_public
    old = document.get("old_secret") or {"hash": None, "until": now()}
    good = [document["secret_hash"], old["hash"] if old["until"] > now() else None]
    digest = secret_codes.digest(secret)
    return any(hmac.compare_digest(each, digest) for each in good if each is not None)


def _refused() -> InvalidClientError:
    return InvalidClientError("The client is unknown or its credentials are wrong.")


def _unknown() -> ClientNotFoundError:
    return ClientNotFoundError("No registered client has this id.")
