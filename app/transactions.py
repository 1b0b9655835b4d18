"""Writes to several collections that MongoDB takes together or not at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

_PASSING = ("TransientTransactionError", "UnknownTransactionCommitResult")


@asynccontextmanager
async def transaction(client: AsyncMongoClient[dict[str, Any]]) -> AsyncIterator[AsyncClientSession]:
    """Committed at the end, given up at an exception.

    What is raised for which `may_pass` says yes may be met by trying all of it again, whoever makes sure that
    what was done after all is not done twice.
    """
    async with client.start_session() as session, await session.start_transaction():
        yield session


def may_pass(error: PyMongoError) -> bool:
    """Whether the transaction lost a race or its primary, or it is not known whether it was committed."""
    return any(error.has_error_label(label) for label in _PASSING)
