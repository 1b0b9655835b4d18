"""Verified e-mails: what a code that was mailed to an address, and used, changes of its user."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.audit.write import SECRET, Author
from app.core.mongo import Row
from app.users.changes import RAISED, Writes
from app.users.user_records import PUBLIC, SETTABLE, Records, generation, sound

_VERIFIED = {"pointer": "/email_verified", "from": False, "to": True}


class Verification:
    """Each verb is for the transaction that uses up the code."""

    def __init__(self, records: Records, writes: Writes) -> None:
        self._users = records.collection
        self._write = writes.write

    async def verify(
        self,
        user_id: str,
        email: str,
        *,
        author: Author,
        session: AsyncClientSession,
        password_hash: str | None = None,
    ) -> bool:
        """Whether the user has this e-mail, in this spelling; then it is verified now.

        Unless it was so before, `password_hash` is that of the user's first password, which makes their other
        codes void.
        """
        row = await self._read(user_id, session)
        if row["email"] != email:
            return False
        if not row["email_verified"]:
            secret = {} if password_hash is None else {"credentials.password_hash": password_hash}
            told = [_VERIFIED, *(SECRET if secret else ())]
            await self._write(
                row,
                _said(row),
                author,
                RAISED if secret else {},
                is_verified=True,
                stored=secret,
                differences=told,
                session=session,
            )
        return True

    async def move(
        self,
        user_id: str,
        email: str,
        *,
        author: Author,
        session: AsyncClientSession,
        raised: Mapping[str, int] = {},
    ) -> tuple[Row, int]:
        """Give the user another e-mail, which is verified: the row before, and the generation from now on.

        UniqueConflictError.
        """
        row = await self._read(user_id, session)
        values = _said(row) | {"email": email}
        after = await self._write(row, values, author, raised, is_verified=True, session=session)
        return row, generation(after or {})

    async def _read(self, user_id: str, session: AsyncClientSession) -> Row:
        return sound(await self._users.find_one({"_id": ObjectId(user_id)}, PUBLIC, session=session))


def _said(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in SETTABLE}
