"""Probes: try all that sign-ins, writes, jobs and exports need of MongoDB and Redis.

A probe leaves nothing behind. It raises the driver's errors, which `driver_errors` explains.
"""

import os
from collections.abc import Sequence
from contextlib import suppress

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from app.core.mongo import Database
from app.database.redis_connection import Argument, RedisConnection, Script, pack
from app.database.transactions import together

_NOBODY = ObjectId("0" * 24)
_KEPT_S = 60
_SCRIPT = Script("return redis.call('TIME')[1]")


class _TriedError(Exception):
    """All worked; aborts the transaction."""


async def probe_mongodb(database: Database) -> None:
    """Insert, change and delete in a transaction that is aborted; again where it loses a race.

    Of processes that start at once on an empty MongoDB, one makes the collections while another tries them.
    """

    async def attempt(session: AsyncClientSession) -> None:
        await database["audit"].insert_one({"_id": ObjectId()}, session=session)
        await database["users"].update_one({"_id": _NOBODY}, {"$set": {"version": 1}}, session=session)
        await database["users"].delete_one({"_id": _NOBODY}, session=session)
        raise _TriedError

    with suppress(_TriedError):
        await together(database.client, attempt)


async def probe_redis(redis_connection: RedisConnection) -> None:
    """Send each command that code and scripts use, on keys of its own, and a script."""
    commands = _redis_commands(f"roster:{{trial:{os.urandom(6).hex()}}}")
    await redis_connection.call(lambda _: b"".join(pack(*command) for command in commands), len(commands))
    await redis_connection.run(_SCRIPT, ())


def _redis_commands(prefix: str) -> Sequence[tuple[Argument, ...]]:
    text, fields, scores, stream = (f"{prefix}:{kind}" for kind in ("text", "fields", "scores", "stream"))
    return (
        ("SET", text, 1, "NX", "EX", _KEPT_S),
        ("INCR", text),
        ("PEXPIRE", text, _KEPT_S * 1000),
        ("PTTL", text),
        ("SET", text, 1, "KEEPTTL"),
        ("GET", text),
        ("HSET", fields, "a", 1),
        ("HINCRBY", fields, "a", 1),
        ("HMGET", fields, "a"),
        ("HGETALL", fields),
        ("EXISTS", fields),
        ("HGET", fields, "a"),
        ("HEXISTS", fields, "a"),
        ("PEXPIREAT", fields, 2**42),
        ("HDEL", fields, "b"),
        ("ZADD", scores, 1, "a"),
        ("ZCARD", scores),
        ("ZSCORE", scores, "a"),
        ("ZCOUNT", scores, 0, 1),
        ("ZRANGE", scores, 0, -1),
        ("ZREVRANGE", scores, 0, -1),
        ("ZRANGEBYSCORE", scores, 0, 1),
        ("ZREMRANGEBYSCORE", scores, 2, 3),
        ("ZREMRANGEBYRANK", scores, 5, 6),
        ("ZREM", scores, "a"),
        ("TIME",),
        ("XGROUP", "CREATE", stream, "workers", 0, "MKSTREAM"),
        ("XADD", stream, "MAXLEN", "~", 10, "*", "data", ""),
        ("XREADGROUP", "GROUP", "workers", "worker", "COUNT", 1, "NOACK", "STREAMS", stream, ">"),
        ("DEL", text, fields, scores, stream),
    )
