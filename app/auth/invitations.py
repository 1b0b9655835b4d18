"""Invitations to register, each valid once and for a while, perhaps for only one e-mail address.

A document: `{_id: SHA-256 of the code, email and email_key (None: anyone), scopes, created_by, expires_at}`.
Those of the first releases have no `email`. An index deletes it once it has expired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core import secret_codes
from app.core.cursors import CursorSealer, Position
from app.core.errors import InvalidInvitationError, InvitationNotFoundError
from app.core.mongo import Collection, Database
from app.core.normalise import email_key
from app.users import administrators
from models.values import Scope

ORDER = [("expires_at", -1), ("_id", -1)]
"""The order of the list, and of its index."""
_LISTED = b"invitations"


@dataclass(frozen=True, slots=True)
class Invitation:
    id: str
    """The hash of the code, which cannot be derived from it."""
    email: str | None
    scopes: list[Scope]
    created_by: str
    expires_at: datetime


async def invite(
    database: Database,
    *,
    scopes: Sequence[Scope],
    email: str | None,
    created_by: str,
    ttl_s: int = 7 * 86_400,
) -> tuple[str, Invitation]:
    """The code, of which only the hash is stored, and the invitation; `email` None invites anyone.

    `created_by` is the id of the administrator who invites. The code is valid while they are one.
    """
    code = secret_codes.make()
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ttl_s)
    invitation = Invitation(secret_codes.digest(code), email, list(scopes), created_by, expires_at)
    await _collection(database).insert_one(
        {
            "_id": invitation.id,
            "email": email,
            "email_key": None if email is None else email_key(email),
            "scopes": list(scopes),
            "created_by": created_by,
            "expires_at": expires_at,
        }
    )
    return code, invitation


async def page(
    database: Database, cursors: CursorSealer, *, limit: int, cursor: str | None
) -> tuple[list[Invitation], str | None]:
    """A page of valid invitations, the last to expire first, and the cursor of the next page."""
    wanted: dict[str, Any] = {"expires_at": {"$gt": datetime.now(UTC)}}
    if cursor is not None:
        past = cursors.open(cursor, _LISTED)
        wanted["expires_at"]["$lte"] = past.value
        wanted["$or"] = [{"expires_at": {"$lt": past.value}}, {"_id": {"$lt": past.id}}]
    found = await _collection(database).find(wanted, sort=ORDER, hint="listed", limit=limit + 1).to_list()
    listed = [_invitation(document) for document in found[:limit]]
    if len(found) <= limit:
        return listed, None
    last = Position(segment=0, value=listed[-1].expires_at, id=listed[-1].id)
    return listed, cursors.seal(last, _LISTED)


async def withdraw(database: Database, invitation_id: str) -> None:
    """Withdraw an invitation; InvitationNotFoundError if there is no valid one."""
    good = {"_id": invitation_id, "expires_at": {"$gt": datetime.now(UTC)}}
    if not (await _collection(database).delete_one(good)).deleted_count:
        raise InvitationNotFoundError("There is no such invitation, or it has expired.")


async def redeem(database: Database, code: str, email: str, session: AsyncClientSession) -> list[Scope]:
    """The scopes granted to `email` (a valid address); the invitation is used up if the transaction commits.

    Runs in the transaction that inserts the user: of two requests with one invitation, MongoDB makes one
    begin again, and it finds none. InvalidInvitationError is always the same: unknown, used, withdrawn,
    expired, for another address, or by a former administrator.
    """
    document = await _collection(database).find_one_and_delete(
        {
            "_id": secret_codes.digest(code),
            "email_key": {"$in": [None, email_key(email)]},
            "expires_at": {"$gt": datetime.now(UTC)},
        },
        session=session,
    )
    if document is None or not await _stands_by(database, document["created_by"], session):
        raise InvalidInvitationError("The invitation is unknown, used, expired or for another address.")
    granted: list[Scope] = document["scopes"]
    return granted


async def _stands_by(database: Database, created_by: str, session: AsyncClientSession) -> bool:
    return ObjectId.is_valid(created_by) and await administrators.is_one(
        database["users"], ObjectId(created_by), session
    )


def _invitation(document: dict[str, Any]) -> Invitation:
    return Invitation(
        id=document["_id"],
        email=document.get("email", document["email_key"]),
        scopes=document["scopes"],
        created_by=document["created_by"],
        expires_at=document["expires_at"].replace(tzinfo=UTC),
    )


def _collection(database: Database) -> Collection:
    return database["invitations"]
