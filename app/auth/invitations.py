"""Invitations to register, each valid once and for a while, perhaps for only one e-mail address."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from beanie import SortDirection
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core import secret_codes
from app.core.cursors import CursorSealer, Position
from app.core.errors import InvalidInvitationError, InvitationNotFoundError
from app.core.mongo import Collection
from app.core.normalise import email_key
from app.core.paging import Page, cut
from app.users import administrators
from models.account import StoredInvitation
from models.job import PageQuery
from models.values import Scope

ORDER = [("expires_at", SortDirection.DESCENDING), ("_id", SortDirection.DESCENDING)]
"""The order of the list, and of its index."""
_LISTED = b"invitations"


class Invitations:
    """Made and withdrawn by administrators, and redeemed with a registration."""

    def __init__(self, users: Collection, cursors: CursorSealer) -> None:
        self._users = users
        self._cursors = cursors

    async def invite(
        self, *, scopes: Sequence[Scope], email: str | None, created_by: str, ttl_s: int = 7 * 86_400
    ) -> tuple[str, StoredInvitation]:
        """The code, of which only a hash is stored, and the invitation; for anyone unless `email` is given.

        The code is valid as long as `created_by`, the id of the inviting user, is an administrator.
        """
        code = secret_codes.make()
        invitation = StoredInvitation(
            id=secret_codes.digest(code),
            email=email,
            email_key=None if email is None else email_key(email),
            scopes=list(scopes),
            created_by=created_by,
            expires_at=datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ttl_s),
        )
        await invitation.insert()
        return code, invitation

    async def page(self, asked: PageQuery) -> Page[StoredInvitation]:
        """Valid invitations, the last to expire first."""
        wanted: dict[str, Any] = {"expires_at": {"$gt": datetime.now(UTC)}}
        if asked.cursor is not None:
            past = self._cursors.open(asked.cursor, _LISTED)
            wanted["expires_at"]["$lte"] = past.value
            wanted["$or"] = [{"expires_at": {"$lt": past.value}}, {"_id": {"$lt": past.id}}]
        most = asked.limit + 1
        found = await StoredInvitation.find(wanted, sort=ORDER, limit=most, hint="listed").to_list()
        return cut(found, asked.limit, self._seal)

    def _seal(self, last: StoredInvitation) -> str:
        return self._cursors.seal(Position(0, last.expires_at, last.id), _LISTED)

    async def withdraw(self, invitation_id: str) -> None:
        """InvitationNotFoundError unless it is valid."""
        good = {"_id": invitation_id, "expires_at": {"$gt": datetime.now(UTC)}}
        done = await StoredInvitation.find_one(good).delete()
        if done is None or not done.deleted_count:
            raise InvitationNotFoundError("There is no such invitation, or no longer.")

    async def redeem(self, code: str, email: str, session: AsyncClientSession) -> list[Scope]:
        """The scopes granted to `email`; the invitation is used up if the transaction commits.

        In the caller's transaction, with the insert of the user: of two that race for one invitation, MongoDB
        restarts one, which then finds it gone. InvalidInvitationError, the same for all reasons: unknown,
        used, withdrawn, expired, for another address, or of somebody who is no longer an administrator.
        """
        documents = StoredInvitation.get_pymongo_collection()  # Beanie deletes what it has read, in two steps
        document = await documents.find_one_and_delete(
            {
                "_id": secret_codes.digest(code),
                "email_key": {"$in": [None, email_key(email)]},
                "expires_at": {"$gt": datetime.now(UTC)},
            },
            session=session,
        )
        if document is None or not await self._stands_by(document["created_by"], session):
            raise InvalidInvitationError("The invitation is unknown, used, expired or for another address.")
        granted: list[Scope] = document["scopes"]
        return granted

    async def _stands_by(self, created_by: str, session: AsyncClientSession) -> bool:
        return ObjectId.is_valid(created_by) and await administrators.is_one(
            self._users, ObjectId(created_by), session
        )
