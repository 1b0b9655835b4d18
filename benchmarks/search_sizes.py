"""What search keeps: bytes for each user, and the dictionary."""

from typing import Any

from pymongo import MongoClient
from pymongo.database import Database as MongoDatabase

from benchmarks.results import Finding
from benchmarks.servers import Database

_SAMPLED = 10_000


def measure(database: Database) -> list[Finding]:
    with MongoClient[dict[str, Any]](database.mongo_uri) as client:
        stored = client.get_default_database()
        return [_users(stored, database.users), _terms(stored, database.users)]


def _users(stored: MongoDatabase[dict[str, Any]], users: int) -> Finding:
    sizes = _storage(stored, "users")["indexSizes"]
    ours = {
        index["name"]: sizes[index["name"]] / users
        for index in stored["users"].list_indexes()
        if any(path.startswith("search.") for path in index["key"])
    }
    each = ", ".join(f"{name} {size:,.0f}" for name, size in ours.items())
    tokens = _tokens(stored)
    figures = (
        f"indexes {sum(ours.values()):,.0f} B ({each}) of {sum(sizes.values()) / users:,.0f} B in all; "
        f"fields {tokens['bytes']:,.0f} of {tokens['whole']:,.0f} B, {tokens['words']:.0f} tokens"
    )
    return Finding("search", f"kept for each of {users:,} users", figures)


def _tokens(stored: MongoDatabase[dict[str, Any]]) -> dict[str, Any]:
    """Of a user, on average: bytes before compression."""
    size_of = {
        "bytes": {"$avg": {"$bsonSize": "$search"}},
        "whole": {"$avg": {"$bsonSize": "$$ROOT"}},
        "words": {"$avg": {"$size": {"$ifNull": ["$search.t", []]}}},
    }
    pipeline: list[dict[str, Any]] = [{"$sample": {"size": _SAMPLED}}, {"$group": {"_id": None} | size_of}]
    return {name: value or 0 for name, value in next(stored["users"].aggregate(pipeline)).items()}


def _terms(stored: MongoDatabase[dict[str, Any]], users: int) -> Finding:
    terms = _storage(stored, "terms")
    figures = (
        f"{terms['count']:,} words, {terms['storageSize'] / 2**20:.1f} MiB and "
        f"{terms['totalIndexSize'] / 2**20:.1f} MiB of indexes"
    )
    return Finding("search", f"the dictionary of {users:,} users", figures)


def _storage(stored: MongoDatabase[dict[str, Any]], collection: str) -> dict[str, Any]:
    stats = stored[collection].aggregate([{"$collStats": {"storageStats": {}}}])
    return dict(next(stats)["storageStats"])
