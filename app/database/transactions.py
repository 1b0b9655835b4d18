"""Transactions: writes to several collections that MongoDB commits together or not at all."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import Context
from typing import Any, TypeVar

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError

from app.core.freshness import note_write
from app.core.mongo import Collection

T = TypeVar("T")
_LOST = "TransientTransactionError"
_UNKNOWN = "UnknownTransactionCommitResult"
_PASSING = (_LOST, _UNKNOWN)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.05
_DOUBLINGS = 5
_GIVING_UP_S = 10
"""The time to abort a transaction; otherwise MongoDB keeps it for a minute."""
_WAITED_FOR_S = 0.5
_endings: set[asyncio.Task[None]] = set()
_INTERRUPTED = 11_601
"""The error code of a session that another process has ended; MongoDB gives it no label."""


@asynccontextmanager
async def sessions_about(
    documents: Collection, _id: Any, count: int
) -> AsyncIterator[list[AsyncClientSession]]:
    """Sessions for writes about one document, which end earlier ones about it.

    MongoDB keeps the transaction of a killed process, and its locks, for a minute. So the document lists its
    sessions (`sessions`), and the next process ends them.
    """
    client = documents.database.client
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(client.start_session()) for _ in range(count)]
        own = [session.session_id["id"] for session in sessions]
        about = await documents.find_one_and_update(
            {"_id": _id}, {"$addToSet": {"sessions": {"$each": own}}}, {"sessions": 1}
        )
        others = [other for other in (about or {}).get("sessions", ()) if other not in own]
        if others:
            await client.admin.command("killSessions", [{"id": other} for other in others])
            await documents.update_one({"_id": _id}, {"$pull": {"sessions": {"$in": others}}})
        yield sessions
        await documents.update_one({"_id": _id}, {"$pull": {"sessions": {"$in": own}}})


@asynccontextmanager
async def transaction(session: AsyncClientSession) -> AsyncIterator[None]:
    """A transaction: committed at the end, aborted by an exception."""
    async with await session.start_transaction():
        yield


async def together(
    client: AsyncMongoClient[dict[str, Any]], work: Callable[[AsyncClientSession], Awaitable[T]]
) -> T:
    """The result of `work`, whose writes are committed together; it runs again after a lost race.

    All attempts together take as long as one operation may (`timeoutMS`): PyMongo's `with_transaction` would
    go on for two minutes. A commit with an unknown outcome is repeated, which MongoDB does at most once.
    """
    with pymongo.timeout(client.options.timeout):
        tries = itertools.count()
        while True:
            try:
                return await _once(client, work)
            except PyMongoError as error:
                if error.timeout or not error.has_error_label(_LOST):
                    raise
            await _pause(next(tries))


async def _once(
    client: AsyncMongoClient[dict[str, Any]], work: Callable[[AsyncClientSession], Awaitable[T]]
) -> T:
    session = client.start_session()
    try:
        await session.start_transaction()
        result = await work(session)
        await _commit(session)
    except BaseException as error:
        await _give_up(client, session, error)
        raise
    note_write(session.operation_time)
    await session.end_session()
    return result


async def _give_up(
    client: AsyncMongoClient[dict[str, Any]], session: AsyncClientSession, error: BaseException
) -> None:
    """End a transaction that may still be open, so that its locks do not outlive the request.

    While a new primary takes over, a connection may come free later than the caller waits: then this goes on
    without the caller. It has a context of its own, as PyMongo sends nothing after a deadline.
    """
    is_open = session.in_transaction
    is_unknown = not is_open and (not isinstance(error, PyMongoError) or error.timeout)

    async def end() -> None:
        with suppress(PyMongoError), pymongo.timeout(_GIVING_UP_S):
            if is_open:
                await session.abort_transaction()
            elif (
                is_unknown
            ):  # its commit was begun, perhaps not sent: PyMongo does not abort such a transaction
                await client.admin.command("killSessions", [session.session_id])
        await session.end_session()

    ending = asyncio.create_task(end(), context=Context())
    _endings.add(ending)
    ending.add_done_callback(_endings.discard)
    await asyncio.wait({ending}, timeout=_WAITED_FOR_S)


async def _commit(session: AsyncClientSession) -> None:
    tries = itertools.count()
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if error.timeout or not error.has_error_label(_UNKNOWN):
                raise
        else:
            return
        await _pause(next(tries))


async def _pause(tries: int) -> None:
    """The pause before the next try, longer each time."""
    longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(tries, _DOUBLINGS))
    await asyncio.sleep(random.random() * longest_s)  # noqa: S311 - spreads retries, guards nothing


def may_pass(error: PyMongoError) -> bool:
    """Whether the transaction lost a race, its primary or its session, or has an unknown outcome.

    It can be tried again where doing it twice is excluded.
    """
    is_interrupted = isinstance(error, OperationFailure) and _INTERRUPTED in _codes(error)
    return is_interrupted or any(error.has_error_label(label) for label in _PASSING)


def _codes(error: OperationFailure) -> set[Any]:
    """Of the command, of its writes, and of the wait for a majority."""
    details = error.details or {}
    parts = (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ()))
    return {error.code, *(part["code"] for part in parts)}
