"""MongoDB, Beanie and Redis: opened and closed together, the same way for web, command line and tests."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from beanie import init_beanie
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError
from pymongo.write_concern import WriteConcern
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app import indexes
from app.cursors import CursorSealer
from app.errors import StartError
from app.rows import BSON
from app.settings import Settings
from models.user import User

DEFAULT_DATABASE = "roster"
_REDIS_TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class Resources:
    """What a running process holds."""

    settings: Settings
    database: AsyncDatabase[dict[str, Any]]
    users: AsyncCollection[dict[str, Any]]
    redis: Redis
    cursors: CursorSealer
    exports: asyncio.Semaphore
    """Room for the exports that may run at once."""


@asynccontextmanager
async def opened(settings: Settings, *, apply_indexes: bool = True) -> AsyncIterator[Resources]:
    """Everything connected and checked. StartError says which backend is missing or wrong."""
    if settings.mongo_uri is None or settings.redis_url is None:
        raise StartError("Set ROSTER_MONGO_URI and ROSTER_REDIS_URL, or start with `python -m app serve`.")
    client = _mongo(settings, settings.mongo_uri.get_secret_value())
    redis = _redis(settings.redis_url.get_secret_value())
    try:
        database = client.get_default_database(DEFAULT_DATABASE)
        await _reach(database, redis)
        await init_beanie(database=database, document_models=[User], skip_indexes=True)
        if apply_indexes:
            await indexes.apply(database)
        yield Resources(
            settings=settings,
            database=database,
            users=database[User.Settings.name].with_options(codec_options=BSON),
            redis=redis,
            cursors=CursorSealer(await _secret_key(settings, database), ttl_s=settings.cursor_ttl_s),
            exports=asyncio.Semaphore(settings.exports_at_once),
        )
    finally:
        await redis.aclose()
        await client.close()


def _mongo(settings: Settings, uri: str) -> AsyncMongoClient[dict[str, Any]]:
    try:
        return AsyncMongoClient(
            uri,
            timeoutMS=settings.mongo_timeout_ms,
            serverSelectionTimeoutMS=settings.mongo_timeout_ms,
            w="majority",
            appname="roster",
            document_class=dict,
        )
    except (InvalidURI, ConfigurationError, ValueError):
        raise StartError(
            "ROSTER_MONGO_URI is not a MongoDB address: mongodb://host:27017/roster, say."
        ) from None


def _redis(url: str) -> Redis:
    """No hidden retries: a dead Redis is known in a millisecond, a frozen one in half a second."""
    try:
        return Redis.from_url(
            url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
    except ValueError:
        raise StartError("ROSTER_REDIS_URL is not a Redis address: redis://host:6379/0, say.") from None


async def _reach(database: AsyncDatabase[dict[str, Any]], redis: Redis) -> None:
    try:
        hello = await database.command("hello")
    except PyMongoError as error:
        raise StartError(
            f"MongoDB cannot be reached ({type(error).__name__}): check ROSTER_MONGO_URI."
        ) from None
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StartError("MongoDB must be a replica set (one node is enough): start it with --replSet.")
    try:
        await redis.ping()
    except RedisError as error:
        raise StartError(
            f"Redis cannot be reached ({type(error).__name__}): check ROSTER_REDIS_URL."
        ) from None


async def _secret_key(settings: Settings, database: AsyncDatabase[dict[str, Any]]) -> str:
    """The one that is set, else one made by whichever process came first and kept in MongoDB."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    kept = (
        await database["secrets"]
        .with_options(write_concern=WriteConcern("majority"))
        .find_one_and_update(
            {"_id": "cursor_key"},
            {"$setOnInsert": {"value": secrets.token_hex(32)}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    )
    if kept is None:
        raise StartError("MongoDB did not keep the key of the cursors: set ROSTER_SECRET_KEY.")
    return str(kept["value"])
