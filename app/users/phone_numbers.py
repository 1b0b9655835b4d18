"""Finds and renews stored phone numbers that the library now writes in another form."""

import structlog
from bson import ObjectId

from app.audit.write import Author
from app.core.errors import UniqueConflictError
from app.core.mongo import Collection
from app.users.changes import Writes
from app.users.user_records import PUBLIC, SETTABLE, Records, readable
from models import phones

_log = structlog.get_logger("roster.migrations")

_BATCH = 1_000
_MIGRATION = Author(via="migration")
_REMEDY = "give all but one of them another number; python -m app check names them again"


async def find_old(users: Collection) -> dict[str, list[ObjectId]]:
    """New forms of stored numbers, each with all users who would have it."""
    found: dict[str, list[ObjectId]] = {}
    async for row in users.find({"phone": {"$type": "string"}}, {"phone": 1}, batch_size=_BATCH):
        number = phones.find(row["phone"])
        if number is not None and number.wrong is None and number.e164 != row["phone"]:
            found.setdefault(number.e164, []).append(row["_id"])
    numbers = list(found)
    for start in range(0, len(numbers), _BATCH):
        held = {"$in": numbers[start : start + _BATCH], "$type": "string"}
        async for row in users.find({"phone": held}, {"phone": 1}):
            found[row["phone"]].append(row["_id"])
    return found


async def renew_old(users: Collection) -> None:
    """Renew each number as an ordinary change, unless two users would share it."""
    for number, holders in (await find_old(users)).items():
        if len(holders) > 1 or not await _renew(users, holders[0], number):
            _log.warning("phone_number_shared", users=[str(each) for each in holders], remedy=_REMEDY)


async def _renew(users: Collection, user_id: ObjectId, number: str) -> bool:
    """Renew one number; False if another user took it meanwhile. Concurrent changes of the user win."""
    writes = Writes(Records(users))
    while (row := readable(await users.find_one({"_id": user_id}, PUBLIC))) is not None:
        try:
            if await writes.write(
                row, {name: row[name] for name in SETTABLE} | {"phone": number}, _MIGRATION
            ):
                break
        except UniqueConflictError:
            return False
    return True
