"""People of a filled database who can sign in: the sample has no passwords."""

from typing import Any

from argon2 import PasswordHasher
from pymongo import MongoClient

from benchmarks.servers import Database
from benchmarks.tokens import PASSWORD

_HASHER = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)
"""As Roster hashes, so that nobody is rehashed at the first sign-in."""


def hashed() -> str:
    return _HASHER.hash(PASSWORD)


def prepare(database: Database, count: int) -> list[str]:
    """Gives as many people the password; their e-mails. One hash does: each sign-in computes it anew."""
    with MongoClient[dict[str, Any]](database.mongo_uri) as client:
        users = client.get_default_database()["users"]
        # No administrator: the first one to have a password is the one that Roster makes at its start.
        found = users.find({"is_active": True, "scopes": {"$ne": "users:admin"}}, {"email": 1})
        people = list(found.limit(count))
        chosen = {"_id": {"$in": [person["_id"] for person in people]}}
        users.update_many(chosen, {"$set": {"credentials.password_hash": hashed()}})
    assert len(people) == count
    return [str(person["email"]) for person in people]


def copy_for_peer(database: Database) -> None:
    """Everybody, as fastapi-users stores people, and all of them with the password."""
    stored = {"email": 1} | {
        name: {"$literal": value}
        for name, value in (
            *(("hashed_password", hashed()), ("is_active", True), ("is_superuser", False)),
            ("is_verified", True),
        )
    }
    with MongoClient[dict[str, Any]](database.mongo_uri) as client:
        users = client.get_default_database()["users"]
        users.aggregate([{"$project": stored}, {"$out": "peers"}])
