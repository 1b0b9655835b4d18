"""Two writes of a transaction in one round trip: an insertion, and the write after it.

MongoDB does what one connection sends in order, and does not answer a message that is flagged as followed by
another (`moreToCome` of OP_MSG). PyMongo has no way to ask for that, so its connection is used here.
"""

import struct

import bson
from pymongo import ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.errors import DuplicateKeyError, OperationFailure, WriteError

from app.core.mongo import Collection, Row
from app.database.driver_errors import DUPLICATE_KEY

_HEADER = struct.Struct("<iiiiIB")
"""Length, request, the request that it replies to, operation, flags, and the kind of section."""
_OP_MSG, _MORE_TO_COME, _BODY = 2013, 2, 0
_NO_SUCH_TRANSACTION = 251


async def insert_and_run(
    session: AsyncClientSession, inserted: Collection, row: Row, written: Collection, command: Row
) -> Row:
    """Insert a row into one collection and run a write of another, as the first statements of a transaction.

    The reply to the write; its errors are those of `run`. Only the statement that starts a transaction may go
    unanswered: where it fails, in whatever way, the next one finds no such transaction. Then both are sent
    once more, one by one, so that the error is known.
    """
    client = written.database.client
    try:
        async with await client._conn_for_writes(session, next(iter(command))) as connection:  # noqa: SLF001 - both must take one connection
            if not connection.is_mongos:
                await connection.send_message(_insertion(session, connection, inserted, row), 0)
                reply = await connection.command(
                    written.database.name,
                    dict(command),
                    codec_options=written.codec_options,
                    session=session,
                    client=client,
                )
                return _checked(reply)
    except OperationFailure as error:
        if error.code != _NO_SUCH_TRANSACTION:
            raise
    await session.abort_transaction()
    await session.start_transaction()
    await inserted.insert_one(row, session=session)
    return await run(session, written, command)


async def run(session: AsyncClientSession, written: Collection, command: Row) -> Row:
    """The reply to a write; WriteError, or DuplicateKeyError, where it was refused."""
    return _checked(
        await written.database.command(command, session=session, codec_options=written.codec_options)
    )


def _insertion(
    session: AsyncClientSession, connection: AsyncConnection, inserted: Collection, row: Row
) -> bytes:
    """The message that starts the transaction, as PyMongo would write it but for the flag."""
    command: Row = {"insert": inserted.name, "documents": [row], "$db": inserted.database.name}
    session._apply_to(command, False, ReadPreference.PRIMARY, connection)  # noqa: FBT003, SLF001 - see above
    session._transaction.set_in_progress()  # noqa: SLF001 - see above
    body = bson.encode(command)
    return _HEADER.pack(_HEADER.size + len(body), 0, 0, _OP_MSG, _MORE_TO_COME, _BODY) + body


def _checked(reply: Row) -> Row:
    for error in reply.get("writeErrors", ()):
        refused = DuplicateKeyError if error["code"] == DUPLICATE_KEY else WriteError
        raise refused(error["errmsg"], error["code"], error)
    return reply
