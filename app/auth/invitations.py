"""Invitations to register, each valid once and for a while, perhaps for only one e-mail address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from beanie import SortDirection
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core import secret_codes
from app.core.catalogue import Language
from app.core.cursors import CursorSealer, Position
from app.core.errors import (
    FieldError,
    InvalidError,
    InvalidInvitationError,
    InvitationNotFoundError,
    OpenInvitationError,
)
from app.core.mongo import Collection
from app.core.normalise import email_key
from app.core.paging import Page, cut
from app.core.settings import Settings
from app.database.transactions import together
from app.mail import Mail, Outbox, url
from app.users import administrators
from models.account import StoredInvitation
from models.job import PageQuery
from models.values import Scope

ORDER = [("expires_at", SortDirection.DESCENDING), ("_id", SortDirection.DESCENDING)]
"""The order of the list, and of its index."""
_LISTED = b"invitations"
_GONE = "There is no such invitation, or no longer."


@dataclass(frozen=True, slots=True)
class Redeemed:
    scopes: list[Scope]
    sent_to: str | None
    """The address whose reader alone had the code, as it was sent there."""


class Invitations:
    """Made and withdrawn by administrators, and redeemed with a registration."""

    def __init__(self, users: Collection, cursors: CursorSealer, outbox: Outbox, settings: Settings) -> None:
        self._users = users
        self._cursors = cursors
        self._outbox = outbox
        self._settings = settings

    async def invite(
        self,
        *,
        scopes: Sequence[Scope],
        email: str | None,
        created_by: str,
        ttl_s: int = 7 * 86_400,
        send_in: Language | None = None,
    ) -> tuple[str | None, StoredInvitation]:
        """The code, of which only a hash is stored, and the invitation; for anyone unless `email` is given.

        The code is valid as long as `created_by`, the id of the inviting user, is an administrator.
        `send_in`: a mail in this language takes it to the `email`, and only its reader has it, who so proves
        the address: MailOffError, InvalidError without an `email`.
        """
        expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ttl_s)
        if send_in is not None:
            self._outbox.check()
            return None, await self._send(
                _require(email), send_in, scopes=scopes, created_by=created_by, expires_at=expires_at
            )
        code = secret_codes.make()
        invitation = _make(code, scopes=scopes, email=email, created_by=created_by, expires_at=expires_at)
        await invitation.insert()
        return code, invitation

    async def send_again(self, invitation_id: str, *, language: Language) -> StoredInvitation:
        """The invitation under a new code, valid as long as it was to be; its earlier code is void.

        InvitationNotFoundError unless it is valid; OpenInvitationError if it is for anyone; MailOffError.
        """
        self._outbox.check()
        earlier = await StoredInvitation.find_one(_valid(invitation_id))
        if earlier is None:
            raise InvitationNotFoundError(_GONE)
        if earlier.email is None:
            raise OpenInvitationError("It is for anyone: make one with `email` and `send`.")
        return await self._send(
            earlier.email,
            language,
            scopes=earlier.scopes,
            created_by=earlier.created_by,
            expires_at=earlier.expires_at,
            replaces=earlier.id,
        )

    async def _send(
        self,
        email: str,
        language: Language,
        *,
        scopes: Sequence[Scope],
        created_by: str,
        expires_at: datetime,
        replaces: str | None = None,
    ) -> StoredInvitation:
        """Store it with its mail, in place of the one that it replaces: InvitationNotFoundError."""
        code = secret_codes.make()
        made = _make(
            code, scopes=scopes, email=email, created_by=created_by, expires_at=expires_at, is_sent=True
        )
        days = max(1, round((expires_at - datetime.now(UTC)) / timedelta(days=1)))
        link = url(self._settings, "/auth/sign-up", invitation=code)
        mail = Mail("invitation", email, language, {"link": link, "days": str(days)}, good_until=expires_at)

        async def write(session: AsyncClientSession) -> None:
            if replaces is not None:
                await self._remove(replaces, session)
            await made.insert(session=session)
            await self._outbox.add(mail, session)

        await together(self._users.database.client, write)
        await self._outbox.wake()
        return made

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
        await self._remove(invitation_id)

    async def _remove(self, invitation_id: str, session: AsyncClientSession | None = None) -> None:
        done = await StoredInvitation.find_one(_valid(invitation_id)).delete(session=session)
        if done is None or not done.deleted_count:
            raise InvitationNotFoundError(_GONE)

    async def redeem(self, code: str, email: str, session: AsyncClientSession) -> Redeemed:
        """What is granted to `email`; the invitation is used up if the transaction commits.

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
        return Redeemed(document["scopes"], document["email"] if document.get("is_sent") else None)

    async def _stands_by(self, created_by: str, session: AsyncClientSession) -> bool:
        return ObjectId.is_valid(created_by) and await administrators.is_one(
            self._users, ObjectId(created_by), session
        )


def _make(
    code: str,
    *,
    scopes: Sequence[Scope],
    email: str | None,
    created_by: str,
    expires_at: datetime,
    is_sent: bool = False,
) -> StoredInvitation:
    return StoredInvitation(
        id=secret_codes.digest(code),
        email=email,
        email_key=None if email is None else email_key(email),
        scopes=list(scopes),
        created_by=created_by,
        is_sent=is_sent,
        expires_at=expires_at,
    )


def _require(email: str | None) -> str:
    if email is None:
        bad = FieldError(pointer="/email", detail="Must be given, as the invitation is to be sent there.")
        raise InvalidError("An invitation can be sent only to an e-mail.", errors=(bad,))
    return email


def _valid(invitation_id: str) -> dict[str, Any]:
    return {"_id": invitation_id, "expires_at": {"$gt": datetime.now(UTC)}}
