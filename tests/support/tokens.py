"""Access tokens for tests that are about something else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

from beanie import PydanticObjectId
from pymongo import AsyncMongoClient

from app import container
from app.clients import BUILT_IN
from app.container import Container
from app.core.settings import Settings
from app.database.addresses import DEFAULT_DATABASE
from app.database.connections import Connections, find_secret, find_users, open_redis
from app.database.reads import Reads
from app.database.redis_connection import RedisConnection
from models.values import ALL_SCOPES


async def mint(opened: Container, *scopes: str) -> str:
    """Of a session that Redis vouches for; its user is in no directory, so no test counts them.

    Redis is told that it knows the user. Otherwise the session's first request would ask MongoDB for them.
    """
    user_id = str(PydanticObjectId())
    epoch, *_ = await opened.auth.sessions._store.look(user_id, "")
    await opened.connections.redis.hset(
        f"roster:{{{user_id}}}:state", items=["generation", "0", "epoch", epoch]
    )
    return await mint_for(opened, user_id, *scopes)


async def mint_for(opened: Container, user_id: str, *scopes: str, generation: int = 0) -> str:
    """Of a session of a user who has signed in nowhere yet: its first request asks MongoDB for them."""
    granted = frozenset(scopes or ALL_SCOPES)
    session = await opened.auth.sessions.create(user_id, generation, client=BUILT_IN, scopes=granted)
    token, _ = opened.auth.tokens.issue(
        user_id=user_id, sid=session.sid, client_id=BUILT_IN.id, scopes=granted
    )
    return token


def mint_elsewhere(settings: Settings, *scopes: str) -> str:
    """For a server in another process that has these settings.

    In a thread with a loop of its own, whatever loop runs here; and without Beanie, which would be bound to
    the server's database while the tests of this process have theirs.
    """

    async def run() -> str:
        async with AsyncExitStack() as closing:
            assert settings.mongo_uri is not None
            assert settings.redis_url is not None
            # PyMongo leaks the socket of a monitor that is stopped while it connects; polling, none does
            mongo = AsyncMongoClient[dict[str, Any]](
                settings.mongo_uri.get_secret_value(), w="majority", serverMonitoringMode="poll"
            )
            closing.push_async_callback(mongo.close)
            redis = open_redis(url := settings.redis_url.get_secret_value(), timeout_s=5)
            closing.push_async_callback(redis.aclose)
            database = mongo.get_default_database(DEFAULT_DATABASE)
            redis_connection = RedisConnection(redis, timeout_s=5)
            closing.callback(redis_connection.close)
            secret = await find_secret(settings, database)
            reads = Reads(find_users(database), stale_s=0)
            held = Connections(settings, database, redis, redis_connection, url, secret, reads)
            opened = await container.build(held, closing, sign=False)
            return await mint(opened, *scopes)  # with the server's own key

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, run()).result()
