"""The audit trail: each change of a user, written in the transaction that makes it."""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.mongo import Collection, Database, Row
from app.database import pipeline
from app.monitoring.logs import REQUEST_ID
from models.audit import Action, Via

Entry = dict[str, Any]

SECRET = ({"pointer": "/password", "from": None, "to": None},)
"""The difference of a password, whose values are not recorded."""
_STANDING = ("/is_active", "/scopes")
"""Rights are no personal data: they stay when a user is forgotten."""
_PARTED = "/profile/addresses"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a user, and by what way; on the command line without user and client."""

    user_id: str | None = None
    client_id: str | None = None
    via: Via = "api"
    import_id: ObjectId | None = None


Also = Callable[[list[Entry], AsyncClientSession], Awaitable[None]]
"""What else is written in the transaction of a change, told the entries of it.

The one hook into changes of any noun: what writes a change takes it as an argument, and `add` calls it.
"""
COMMAND_LINE = Author(via="command_line")


def entry(
    author: Author,
    action: Action,
    user_id: ObjectId,
    *,
    version: int | None = None,
    differences: Iterable[Mapping[str, Any]] = (),
) -> Entry:
    moment = datetime.now(UTC)
    request_id = REQUEST_ID.get()
    return {
        "_id": _new_id(moment),
        "at": moment,
        "user": user_id,
        "action": action,
        "by": ObjectId(author.user_id) if author.user_id is not None else None,
        "client": author.client_id,
        "via": author.via,
        "import": author.import_id,
        "request": request_id if request_id != "-" else None,
        "version": version,
        "differences": list(differences),
        "forgotten": False,
    }


def _new_id(moment: datetime) -> ObjectId:
    """An id in the order of time to the microsecond.

    MongoDB's own are so to the second: within one, all ids of a process go before those of another, and
    changes of one user by two workers would be told in the wrong order.
    """
    seconds, microseconds = int(moment.timestamp()), moment.microsecond
    return ObjectId(seconds.to_bytes(4) + microseconds.to_bytes(3) + secrets.token_bytes(5))


class NothingChangedError(Exception):
    """A change found no user of its condition: its transaction, which may hold the entry, is given up."""


async def change(
    users: Collection, command: Row, entry: Entry, session: AsyncClientSession, *, is_first: bool
) -> Row:
    """The reply to a command that changes a user, whose entry is written in the same transaction.

    `is_first`: nothing else was sent in it yet, so that both go in one round trip. NothingChangedError;
    WriteError or DuplicateKeyError where the command was refused.
    """
    trail = users.database["audit"]
    if is_first:
        reply = await pipeline.insert_and_run(session, trail, entry, users, command)
    else:
        reply = await pipeline.run(session, users, command)
    if "value" in reply and reply["value"] is None:
        raise NothingChangedError
    if not is_first:
        await trail.insert_one(entry, session=session)
    return reply


async def add(
    database: Database, entries: list[Entry], session: AsyncClientSession, also: Also | None = None
) -> None:
    """Insert entries, and what must be written with them, within the transaction of the changes."""
    if entries:
        await database["audit"].insert_many(entries, session=session)
    if also is not None:
        await also(entries, session)


async def forget(database: Database, user_ids: list[ObjectId], session: AsyncClientSession) -> None:
    """Remove these users' values from their trail, within the transaction that deletes them."""
    await database["audit"].update_many(
        {"user": {"$in": user_ids}},
        {
            "$unset": {"differences.$[personal].from": "", "differences.$[personal].to": ""},
            "$set": {"forgotten": True},
        },
        array_filters=[{"personal.pointer": {"$nin": _STANDING}}],
        session=session,
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Differences field by field, addresses part by part, lists of texts as a whole; empty equals missing."""
    found: list[dict[str, Any]] = []
    _compare("", before, after, found)
    return found


def _compare(at: str, was: Mapping[str, Any], now: Mapping[str, Any], found: list[dict[str, Any]]) -> None:
    """Add the differences of what is at this pointer; for each user that is written, hence no generators."""
    for name in dict.fromkeys([*was, *now]) if was else now:
        before, after = was.get(name), now.get(name)
        if before != after:
            _differ(f"{at}/{name}", before, after, found)


def _differ(at: str, before: Any, after: Any, found: list[dict[str, Any]]) -> None:
    if _is_nothing(before) and _is_nothing(after):
        return
    if isinstance(before, dict) or isinstance(after, dict):
        _compare(at, before or {}, after or {}, found)
    elif at == _PARTED:
        _compare(at, _by_place(before), _by_place(after), found)
    else:
        found.append({"pointer": at, "from": before, "to": after})


def _by_place(addresses: Sequence[Any] | None) -> dict[str, Any]:
    return {str(place): each for place, each in enumerate(addresses or ())}


def _is_nothing(value: Any) -> bool:
    return value is None or (not value and value in ([], {}))
