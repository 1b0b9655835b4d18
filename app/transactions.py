"""Writes to several collections that MongoDB takes together or not at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

_PASSING = ("TransientTransactionError", "UnknownTransactionCommitResult")


@asynccontextmanager
async def session_about(
    documents: AsyncCollection[dict[str, Any]], _id: Any
) -> AsyncIterator[AsyncClientSession]:
    """A session for transactions that are about one document, which takes the place of those before it.

    MongoDB keeps a transaction whose process was killed, and its locks, for a minute. So the document says
    which sessions were begun about it (`sessions`), and who comes next ends them.
    """
    client = documents.database.client
    async with client.start_session() as session:
        own = session.session_id["id"]
        about = await documents.find_one_and_update(
            {"_id": _id}, {"$addToSet": {"sessions": own}}, {"sessions": 1}
        )
        others = [other for other in (about or {}).get("sessions", ()) if other != own]
        if others:
            await client.admin.command("killSessions", [{"id": other} for other in others])
            await documents.update_one({"_id": _id}, {"$pull": {"sessions": {"$in": others}}})
        yield session
        await documents.update_one({"_id": _id}, {"$pull": {"sessions": own}})


@asynccontextmanager
async def transaction(session: AsyncClientSession) -> AsyncIterator[None]:
    """Committed at the end, given up at an exception."""
    async with await session.start_transaction():
        yield


def may_pass(error: PyMongoError) -> bool:
    """Whether the transaction lost a race or its primary, or nobody knows whether it was committed.

    All of it may be tried again by one who makes sure that what was done after all is not done twice.
    """
    return any(error.has_error_label(label) for label in _PASSING)
