"""Stores the sample people that `app.commands.sample` makes up."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from pymongo.errors import BulkWriteError

from app.commands.sample import people
from app.container import Container
from app.database.driver_errors import DUPLICATE_KEY
from app.search import Dictionary
from app.users.user_records import document, record
from models.user import User, UserInput

_BATCH = 1_000
_STORED = ("is_active", "scopes", "email_verified", "created_at", "last_login_at", "last_login_ip")
"""Fields of a sample person that no caller may set."""


async def add(
    opened: Container, count: int, *, start: int = 0, on_batch: Callable[[int], None] = lambda _: None
) -> int:
    """Add people numbered from `start` and return how many were new; existing ones stay as they are."""
    made = people(count, start=start)
    dictionary = Dictionary(opened.connections.database)
    added = 0
    while batch := [_record(person) for person in islice(made, _BATCH)]:
        await dictionary.learn([user.words for user in batch])
        try:
            added += len(
                (await opened.connections.users.insert_many(map(document, batch), ordered=False)).inserted_ids
            )
        except BulkWriteError as error:
            if any(write["code"] != DUPLICATE_KEY for write in error.details["writeErrors"]):
                raise
            added += error.details["nInserted"]
        on_batch(len(batch))
    return added


def _record(person: dict[str, Any]) -> User:
    stored = {name: person.pop(name) for name in _STORED if name in person}
    stored.setdefault("updated_at", stored["created_at"])
    return record(UserInput.model_validate(person), **stored)
