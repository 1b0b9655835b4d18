"""Invitations to register: each good once, for a while, perhaps for one e-mail address alone.

A document: `{_id: SHA-256 of the code, email_key (None: anyone), scopes, created_by, expires_at}`. An index
of `app.indexes` takes it away once it has expired.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from app import secret_codes
from app.errors import InvalidInvitationError
from app.normalise import email_key
from models.values import Scope

Database = AsyncDatabase[dict[str, Any]]


async def invite(
    database: Database,
    *,
    scopes: Sequence[Scope],
    email: str | None,
    created_by: str,
    ttl_s: int = 7 * 86_400,
) -> tuple[str, datetime]:
    """The code, which only its hash is kept of, and when it expires; `email`: a valid address, or anyone's.

    `created_by` is the id of the user who invites, who must have those scopes himself: the caller sees to it.
    """
    code = secret_codes.make()
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ttl_s)
    await _collection(database).insert_one(
        {
            "_id": secret_codes.digest(code),
            "email_key": None if email is None else email_key(email),
            "scopes": list(scopes),
            "created_by": created_by,
            "expires_at": expires_at,
        }
    )
    return code, expires_at


async def redeem(database: Database, code: str, email: str, session: AsyncClientSession) -> list[Scope]:
    """The scopes granted to `email` (a valid address); the invitation is used up if the transaction commits.

    Inside a transaction of the caller, beside the insertion of the user, so that neither is done alone:
    of two who race for one invitation, MongoDB makes one begin again, and it is gone then.
    InvalidInvitationError, always the same: unknown, used, expired or made for another address.
    """
    document = await _collection(database).find_one_and_delete(
        {
            "_id": secret_codes.digest(code),
            "email_key": {"$in": [None, email_key(email)]},
            "expires_at": {"$gt": datetime.now(UTC)},
        },
        session=session,
    )
    if document is None:
        raise InvalidInvitationError("The invitation is unknown, used, expired or for another address.")
    granted: list[Scope] = document["scopes"]
    return granted


def _collection(database: Database) -> AsyncCollection[dict[str, Any]]:
    return database["invitations"]
