"""Puts a stored directory back into the servers of a test."""

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import SON, json_util
from pymongo import MongoClient
from redis import Redis

COMMITS = tuple(sorted(file.name.partition(".")[0] for file in Path(__file__).parent.glob("*.json.gz")))
_NEVER = -1


@dataclass(frozen=True, slots=True)
class Known:
    """What its makers were told and a dump does not say: empty where the commit had no such thing."""

    refresh_token: str = ""
    secret: str = ""
    invitation: str = ""
    export: str = ""
    schedule: str = ""
    applied: str = ""
    planned: str = ""


def restore(commit: str, mongo_uri: str, redis_url: str) -> Known:
    """Documents, options and indexes as they were; what goes by itself is given another day."""
    packed = (Path(__file__).parent / f"{commit}.json.gz").read_bytes()
    kept = json_util.loads(gzip.decompress(packed))
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        for collection in kept["mongo"]:
            _restore_collection(client.get_default_database(), collection)
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        for key in kept["redis"]:
            redis.execute_command(*map(str, key["command"]))
            if key["ends_at"] != _NEVER:
                redis.pexpireat(key["key"], int(key["ends_at"]))
    return Known(**kept["known"])


def _restore_collection(database: Any, collection: dict[str, Any]) -> None:
    made = database.create_collection(collection["name"], **collection["options"])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    documents = [
        document | ({"expires_at": tomorrow} if document.get("expires_at") else {})
        for document in collection["documents"]
    ]
    if documents:
        made.insert_many(documents)
    if collection["indexes"]:
        indexes = [
            {name: value for name, value in index.items() if name != "v"} for index in collection["indexes"]
        ]
        database.command(SON([("createIndexes", collection["name"]), ("indexes", indexes)]))
