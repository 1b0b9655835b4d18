"""The OAuth clients: registered by the operator, identified at the endpoints for clients.

A document: `{_id: client_id, name, secret_hash (None: a public client), scopes (None: any), registration,
created_at}`. Those of the first releases have no `registration`.
"""

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
from app.core.mongo import Collection, Database
from models import texts
from models.values import Scope

NAME_LENGTH = 128
# VSCHAR (RFC 6749, appendix A.1) without what some client would not send as it is: the colon ends the id in
# HTTP Basic; `%` and `+` are read otherwise from the many that skip the form encoding of section 2.3.1.
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
    """A new one each time that this id is registered; a session is of one registration."""


BUILT_IN = Client(id="roster", name="Roster", is_public=True, scopes=None)
"""The client of whoever names none."""


async def register(
    database: Database,
    name: str,
    *,
    client_id: str | None = None,
    is_public: bool = False,
    scopes: Sequence[Scope] | None = None,
) -> tuple[Client, str | None]:
    """The client, and its secret, which only its hash is kept of; the id is made from the name by default.

    InvalidError says what is wrong with the name or the id, or that the id is taken.
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
        await _collection(database).insert_one(_document(client, secret))
    except DuplicateKeyError:
        raise InvalidError("There is a client with this id already.") from None
    return client, secret


def _make_id(name: str) -> str:
    """`acme-portal-9f86d081` of `ACME Portal!`: readable in a log, and none like it."""
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


async def list_all(database: Database) -> list[Client]:
    """The registered clients by id; the built-in one is not among them."""
    documents = await _collection(database).find({}, sort=[("_id", 1)]).to_list()
    return [_client(document) for document in documents]


async def find(database: Database, client_id: str) -> Client | None:
    """The client as it is now, in one read; the built-in one in none."""
    if client_id == BUILT_IN.id:
        return BUILT_IN
    document = await _find(database, client_id)
    return None if document is None else _client(document)


async def find_registrations(database: Database, client_ids: Iterable[str]) -> dict[str, str]:
    """The registration of each that is registered now, by id; the built-in one is not asked for."""
    wanted = sorted({*client_ids} - {BUILT_IN.id})
    found = await _collection(database).find({"_id": {"$in": wanted}}).to_list() if wanted else []
    return {BUILT_IN.id: BUILT_IN.registration} | {
        client.id: client.registration for client in map(_client, found)
    }


async def change(
    database: Database,
    client_id: str,
    *,
    name: str | None = None,
    scopes: Sequence[Scope] | None = None,
    any_scope: bool = False,
) -> Client:
    """The client after it; None leaves as it is. Sign-ins and refreshes grant by its new scopes at once.

    InvalidError without such a client, or where the name is wrong.
    """
    _check_id(client_id)
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _read_name(name)
    if any_scope or scopes is not None:
        changes["scopes"] = None if any_scope else sorted(scopes or ())
    changed = await _collection(database).find_one_and_update(
        {"_id": client_id}, {"$set": changes}, return_document=ReturnDocument.AFTER
    )
    if changed is None:
        raise _unknown()
    return _client(changed)


async def renew_secret(database: Database, client_id: str) -> str:
    """The new secret; the old one is good no longer. InvalidError without such a confidential client."""
    _check_id(client_id)
    secret = secret_codes.make()
    renewed = await _collection(database).update_one(
        {"_id": client_id, "secret_hash": {"$type": "string"}},
        {"$set": {"secret_hash": secret_codes.digest(secret)}},
    )
    if not renewed.matched_count:
        raise InvalidError("No client that has a secret has this id.")
    return secret


async def remove(database: Database, client_id: str) -> None:
    """InvalidError without such a client. Its sessions end by `accounts.remove_client`, which calls this."""
    _check_id(client_id)
    removed = await _collection(database).delete_one({"_id": client_id})
    if not removed.deleted_count:
        raise _unknown()


def _unknown() -> InvalidError:
    return InvalidError("No registered client has this id.")


async def identify(database: Database, *, client_id: str | None, secret: str | None) -> Client:
    """Who asks. InvalidClientError, always the same, unless a client proves itself as it must.

    No id and no secret: the built-in client, without asking MongoDB; anyone else costs one read at most.
    """
    if secret is None and client_id in (None, BUILT_IN.id):
        return BUILT_IN
    document = await _find(database, client_id)
    if document is None or not _is_proven(document["secret_hash"], secret):
        raise InvalidClientError("The client is unknown, or did not prove who it is as it must.")
    return _client(document)


async def _find(database: Database, client_id: str | None) -> dict[str, Any] | None:
    if client_id is None or not _ID.fullmatch(client_id):
        return None
    return await _collection(database).find_one({"_id": client_id})


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


def _collection(database: Database) -> Collection:
    return database["clients"]
