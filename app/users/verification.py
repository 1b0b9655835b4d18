"""Verifies e-mails: notes that mail to a user's address reached them."""

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.audit.write import Author
from app.users.changes import Writes
from app.users.user_records import PUBLIC, SETTABLE, Records, readable

DIFFERENCE = ({"pointer": "/email_verified", "from": False, "to": True},)


async def verify(
    records: Records,
    writes: Writes,
    user_id: str,
    email: str,
    *,
    author: Author,
    session: AsyncClientSession,
) -> bool:
    """Whether the user has this e-mail, in this spelling: it is verified then.

    In the transaction that uses up the code which was mailed to it; a verified one stays as it is.
    """
    wanted = {"_id": ObjectId(user_id), "email": email}
    row = readable(await records.collection.find_one(wanted, PUBLIC, session=session))
    if row is not None and not row["email_verified"]:
        values = {name: row[name] for name in SETTABLE}
        await writes.write(row, values, author, is_verified=True, differences=DIFFERENCE, session=session)
    return row is not None
