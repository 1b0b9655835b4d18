"""What is derived from users' fields, made anew where an older release stored it in another form."""

from typing import Any

import structlog
from pymongo import UpdateOne

from app.core.mongo import Collection, Row
from app.search import upkeep
from app.users.rows import RowReader
from app.users.selections import choose
from app.users.user_records import SETTABLE, normalised
from models.user import KEPT

_log = structlog.get_logger("roster.migrations")

_PUBLIC, _READER = choose(None)
_MISSING = object()


async def renew_derived(users: Collection, *names: str, together: int = 500) -> int:
    """Renew `keys`, `facets` or `search` of all users, and fill in fields that they lack; how many changed.

    It reads `together` users at a time by id, and may be killed and begun again. A user who is changed
    meanwhile is left as that change wrote them. The log names those whom MongoDB refuses.
    """
    own = [name for name in names if name != "search"]
    changed = 0
    async for rows in upkeep.batches(users, _PUBLIC | dict.fromkeys(own, 1), together):
        changes = [change for row in rows if (change := _renew(row, own, _READER)) is not None]
        written, refused = await upkeep.write(users, changes)
        changed += written
        if refused:
            _log.warning("users_not_renewed", users=refused, remedy="python -m app check says what is wrong")
    return changed + (await upkeep.SearchIndex(users).reindex() if "search" in names else 0)


def _renew(row: Row, names: list[str], reader: RowReader) -> UpdateOne | None:
    """None where nothing changes, and for a row that no caller can be given."""
    held = {name: row.pop(name, None) for name in names}
    for sound in reader.sound([row]):
        values: dict[str, Any] = {name: sound[name] for name in (*SETTABLE, *KEPT)}
        derived = normalised(values)
        changes = {name: value for name, value in values.items() if row.get(name, _MISSING) != value}
        changes |= {name: derived[name] for name in names if held[name] != derived[name]}
        if changes:
            return UpdateOne({"_id": row["_id"], "version": row["version"]}, {"$set": changes})
    return None
