"""Administrators: active users with `users:admin` and a password. One of them always stays."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.errors import LastAdministratorError
from app.core.mongo import Collection
from app.core.normalise import facet
from app.users.authority import ADMIN

ADMINISTRATOR: dict[str, Any] = {
    "facets": facet("scope", ADMIN),
    "scopes": ADMIN,
    "is_active": True,
    "credentials.password_hash": {"$type": "string"},
}
"""The filter of users who can sign in and administer, which the index of facets serves."""


def may_administer(user: Mapping[str, Any]) -> bool:
    """Whether a user is active and has the scope; without a password they still cannot sign in."""
    return user.get("is_active") is True and ADMIN in (user.get("scopes") or ())


def was_one(deleted: Mapping[str, Any]) -> bool:
    """Whether a deleted user, read with scopes and credentials, could administer."""
    credentials = deleted.get("credentials") or {}
    return may_administer(deleted) and isinstance(credentials.get("password_hash"), str)


async def is_one(users: Collection, user_id: ObjectId, session: AsyncClientSession) -> bool:
    return await users.find_one({"_id": user_id} | ADMINISTRATOR, {"_id": 1}, session=session) is not None


async def leave_one(users: Collection, without: ObjectId, session: AsyncClientSession) -> None:
    """Check, in the transaction that removes this administrator, that another stays: LastAdministratorError.

    The other one is written to, so that of two transactions that rely on each other's administrator one has
    to begin again: a snapshot alone would let both pass.
    """
    staying = await users.find_one_and_update(
        {"_id": {"$ne": without}} | ADMINISTRATOR, {"$inc": {"relied_on": 1}}, {"_id": 1}, session=session
    )
    if staying is None:
        raise LastAdministratorError(
            "Nobody could sign in and administer after this: make another administrator first."
        )
