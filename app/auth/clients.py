"""The OAuth clients: registered by the operator, authenticated at the endpoints for clients."""

import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.core import secret_codes
from app.core.errors import InvalidClientError, InvalidError
from app.core.mongo import Database
from models import texts
from models.token import StoredClient
from models.values import Scope

NAME_LENGTH = 128
# VSCHAR (RFC 6749, appendix A.1) without the colon, which ends the id in HTTP Basic, and without `%` and `+`,
# which are ambiguous from the many clients that skip the form encoding of section 2.3.1.
_ID = re.compile(r"[!-$&-*,-9;-~]{1,64}")
_UNLIKE_IDS = re.compile(r"[^a-z0-9]+")
_ID_WORDS = 40


@dataclass(frozen=True, slots=True)
class Client:
    """A client; a public one has no secret. `scopes` None: it may be given any scope its user has."""

    id: str
    name: str
    is_public: bool
    scopes: frozenset[str] | None
    registration: str = ""
    """New each time that this id is registered; a session belongs to one registration."""


BUILT_IN = Client(id="roster", name="Roster", is_public=True, scopes=None)
"""The client of requests that name none."""


class Clients:
    """The registered clients; by the driver, as checks of sessions ask for them too."""

    def __init__(self, database: Database) -> None:
        self._clients = database[StoredClient.Settings.name]

    async def register(
        self,
        name: str,
        *,
        client_id: str | None = None,
        is_public: bool = False,
        scopes: Sequence[Scope] | None = None,
    ) -> tuple[Client, str | None]:
        """Register a client; the client and its secret, of which only the hash is stored.

        The id is made from the name by default. InvalidError says what is wrong with the name or the id, or
        that the id is taken.
        """
        name = _read_name(name)
        client = Client(
            id=_make_id(name) if client_id is None else client_id,
            name=name,
            is_public=is_public,
            scopes=None if scopes is None else frozenset(scopes),
            registration=secrets.token_hex(8),
        )
        _check_id(client.id)
        if client.id == BUILT_IN.id:
            raise InvalidError(f"The id {BUILT_IN.id} is that of the built-in client.")
        secret = None if is_public else secret_codes.make()
        try:
            await self._clients.insert_one(_document(client, secret))
        except DuplicateKeyError:
            raise InvalidError("There is a client with this id already.") from None
        return client, secret

    async def list_all(self) -> list[Client]:
        """The registered clients by id, without the built-in one."""
        documents = await self._clients.find({}, sort=[("_id", 1)]).to_list()
        return [_client(document) for document in documents]

    async def find(self, client_id: str) -> Client | None:
        """The client as it is now; one read, or none for the built-in client."""
        if client_id == BUILT_IN.id:
            return BUILT_IN
        document = await self._find(client_id)
        return None if document is None else _client(document)

    async def find_registrations(self, client_ids: Iterable[str]) -> dict[str, str]:
        """The current registrations of clients, by id; the built-in one needs no read."""
        wanted = sorted({*client_ids} - {BUILT_IN.id})
        found = await self._clients.find({"_id": {"$in": wanted}}).to_list() if wanted else []
        return {BUILT_IN.id: BUILT_IN.registration} | {
            client.id: client.registration for client in map(_client, found)
        }

    async def change(
        self,
        client_id: str,
        *,
        name: str | None = None,
        scopes: Sequence[Scope] | None = None,
        any_scope: bool = False,
    ) -> Client:
        """The client after a change; None changes nothing. New scopes apply to the next sign-in or refresh.

        InvalidError if there is no such client, or the name is wrong.
        """
        _check_id(client_id)
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = _read_name(name)
        if any_scope or scopes is not None:
            changes["scopes"] = None if any_scope else sorted(scopes or ())
        changed = await self._clients.find_one_and_update(
            {"_id": client_id}, {"$set": changes}, return_document=ReturnDocument.AFTER
        )
        if changed is None:
            raise _unknown()
        return _client(changed)

    async def renew_secret(self, client_id: str) -> str:
        """A new secret in place of the old one. InvalidError if there is no such client with a secret."""
        _check_id(client_id)
        secret = secret_codes.make()
        renewed = await self._clients.update_one(
            {"_id": client_id, "secret_hash": {"$type": "string"}},
            {"$set": {"secret_hash": secret_codes.digest(secret)}},
        )
        if not renewed.matched_count:
            raise InvalidError("No client that has a secret has this id.")
        return secret

    async def remove(self, client_id: str) -> None:
        """Remove a client; `accounts.remove_client` also ends its sessions. InvalidError if there is none."""
        _check_id(client_id)
        removed = await self._clients.delete_one({"_id": client_id})
        if not removed.deleted_count:
            raise _unknown()

    async def identify(self, *, client_id: str | None, secret: str | None) -> Client:
        """Authenticate a client. InvalidClientError is always the same.

        Without id and secret it is the built-in client, without a read; any other costs one read at most.
        """
        if secret is None and client_id in (None, BUILT_IN.id):
            return BUILT_IN
        document = await self._find(client_id)
        if document is None or not _is_proven(document["secret_hash"], secret):
            raise InvalidClientError("The client is unknown or its credentials are wrong.")
        return _client(document)

    async def _find(self, client_id: str | None) -> dict[str, Any] | None:
        if client_id is None or not _ID.fullmatch(client_id):
            return None
        return await self._clients.find_one({"_id": client_id})


def _make_id(name: str) -> str:
    """`acme-portal-9f86d081` for `ACME Portal!`: readable in a log, and unique."""
    words = _UNLIKE_IDS.sub("-", name.lower())[:_ID_WORDS].strip("-") or "client"
    return f"{words}-{secrets.token_hex(4)}"


def _read_name(name: str) -> str:
    with suppress(ValueError):
        line = texts.line(name)
        if len(line) <= NAME_LENGTH and not texts.is_blank(line):
            return line
    raise InvalidError(f"A client's name is 1 to {NAME_LENGTH} printable characters.")


def _check_id(client_id: str) -> None:
    if not _ID.fullmatch(client_id):
        raise InvalidError("A client's id is 1 to 64 visible ASCII characters other than :, % and +.")


def _document(client: Client, secret: str | None) -> dict[str, Any]:
    return {
        "_id": client.id,
        "name": client.name,
        "secret_hash": None if secret is None else secret_codes.digest(secret),
        "scopes": None if client.scopes is None else sorted(client.scopes),
        "registration": client.registration,
        "created_at": datetime.now(UTC),
    }


def _unknown() -> InvalidError:
    return InvalidError("No registered client has this id.")


def _is_proven(kept: str | None, secret: str | None) -> bool:
    if kept is None or secret is None:
        return kept is None and secret is None
    return hmac.compare_digest(kept, secret_codes.digest(secret))


def _client(document: dict[str, Any]) -> Client:
    scopes = document["scopes"]
    return Client(
        id=document["_id"],
        name=document["name"],
        is_public=document["secret_hash"] is None,
        scopes=None if scopes is None else frozenset(scopes),
        registration=document.get("registration", ""),
    )
