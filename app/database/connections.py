"""Connections to MongoDB, Beanie and Redis, opened and closed together for web, commands and tests."""

import asyncio
import secrets
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from beanie import init_beanie
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import RedisError

from app.core.errors import StartError
from app.core.mongo import BSON, Collection, Database
from app.core.settings import Settings
from app.database import driver_errors, probes, pymongo_waits
from app.database.addresses import MongoAddress, read_mongo, read_redis
from app.database.reads import Reads
from app.database.redis_connection import RedisConnection, Replies, pack
from app.monitoring.mongo_pools import MongoPoolListener
from models.documents import DOCUMENTS
from models.user import User

log = structlog.get_logger("roster.start")

pymongo_waits.mend()
Client = AsyncMongoClient[dict[str, Any]]
_OLDEST_WIRE = 13
"""MongoDB 5.0."""
_MONITORING = {"heartbeatFrequencyMS": 1_000, "connectTimeoutMS": 2_000}
"""After both of these a frozen node is known as lost, and calls that wait for it go on with another one: at
PyMongo's own 10 and 20 seconds no call of ours would live that long. An address may say otherwise."""
_LOOK_AGAIN_S = 0.5
_DRIVER = DriverInfo()
"""One for all connections: each would read redis-py's version from its metadata, in 2 ms."""


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections of a process, with its settings and the secret of its directory."""

    settings: Settings
    database: Database
    redis: Redis
    redis_connection: RedisConnection
    """For the calls of each request; `redis` is for the rest."""
    redis_url: str = field(repr=False)
    secret: str = field(repr=False)
    """All keys of the directory are derived from it."""
    reads: Reads
    """Reads of users for callers, which go on while there is no primary."""
    pools: MongoPoolListener | None = None
    """Set where metrics are served."""

    @property
    def users(self) -> Collection:
        """The users as rows, for the hot paths: decoded and checked in 7 µs, a document is made in 50 µs."""
        return find_users(self.database)


def find_users(database: Database) -> Collection:
    """The users as rows, with dates and texts that others may have written wrong."""
    return database[User.Settings.name].with_options(codec_options=BSON)


@asynccontextmanager
async def opened(settings: Settings, *, wait_s: float = 0) -> AsyncIterator[Connections]:
    """Both backends, connected and checked. StartError says which is missing or wrong.

    Waits up to `wait_s` seconds for a backend that does not answer yet.
    """
    if settings.mongo_uri is None or settings.redis_url is None:
        raise StartError("Set ROSTER_MONGO_URI and ROSTER_REDIS_URL, or start with `python -m app serve`.")
    async with AsyncExitStack() as closing:
        pools = None if settings.metrics_port is None else MongoPoolListener()
        address = read_mongo(settings.mongo_uri.get_secret_value())
        if address.overridden:
            log.warning("mongo_uri_options_overridden", options=address.overridden)
        client = _mongo(settings, address, pools)
        closing.push_async_callback(client.close)
        timeout_s = settings.redis_timeout_ms / 1000
        redis_url = settings.redis_url.get_secret_value()
        redis = open_redis(redis_url, timeout_s)
        closing.push_async_callback(redis.aclose)
        database = client[address.database]
        await _wait(database, redis, timeout_s, wait_s)
        with explained():
            await init_beanie(database=database, document_models=DOCUMENTS, skip_indexes=True)
            secret = await find_secret(settings, database)
        redis_connection = RedisConnection(redis, timeout_s=timeout_s)
        closing.callback(redis_connection.close)
        reads = Reads(find_users(database), stale_s=settings.stale_reads_s)
        closing.callback(reads.close)
        yield Connections(settings, database, redis, redis_connection, redis_url, secret, reads, pools)


@contextmanager
def explained() -> Iterator[None]:
    """Turn MongoDB's errors before the process is ready into StartError, which explains them."""
    try:
        yield
    except PyMongoError as error:
        raise _failed("MongoDB", "ROSTER_MONGO_URI", error) from None


def _mongo(settings: Settings, address: MongoAddress, pools: MongoPoolListener | None = None) -> Client:
    monitoring: dict[str, Any] = {
        name: ms for name, ms in _MONITORING.items() if name.lower() not in address.options
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # PyMongo warns of options that it ignores
            return AsyncMongoClient(
                address.uri,
                timeoutMS=settings.mongo_timeout_ms,
                serverSelectionTimeoutMS=settings.mongo_timeout_ms,
                maxPoolSize=settings.mongo_pool_size,
                w="majority",
                appname="roster",
                document_class=dict,
                event_listeners=[] if pools is None else [pools],
                **monitoring,
            )
    except (PyMongoError, OSError, ValueError, TypeError, UserWarning) as error:
        raise StartError(
            "ROSTER_MONGO_URI is not a usable MongoDB address, such as mongodb://host:27017/roster "
            f"({driver_errors.explain_address(error)})."
        ) from None


def open_redis(url: str, timeout_s: float) -> Redis:
    """A client without retries: a dead Redis is known in a millisecond, a frozen one after the time-out."""
    try:
        redis = Redis.from_url(
            read_redis(url),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            driver_info=_DRIVER,
        )
        pool: Any = redis.connection_pool
        pool.make_connection()  # which reads the TLS options
    except (RedisError, ValueError, TypeError):
        raise StartError(
            "ROSTER_REDIS_URL is not a usable Redis address, such as redis://host:6379/0: "
            "look at its port and at its options."
        ) from None
    return redis


class _AwayError(StartError):
    """The backend does not answer; it may do so later."""


async def _wait(database: Database, redis: Redis, timeout_s: float, wait_s: float) -> None:
    """Wait for the backends: they are often started together with the service, and take longer."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            await _reach_mongodb(database)
            await _reach_redis(redis, timeout_s)
        except _AwayError as away:
            if time.monotonic() >= deadline:
                raise
            log.warning("waiting_for_backend", reason=str(away))
            await asyncio.sleep(_LOOK_AGAIN_S)
        else:
            return


async def _reach_mongodb(database: Database) -> None:
    try:
        hello = await database.command("hello")
    except PyMongoError as error:
        raise _failed("MongoDB", "ROSTER_MONGO_URI", error) from None
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StartError("MongoDB must be a replica set (one node is enough): start it with --replSet.")
    if hello["maxWireVersion"] < _OLDEST_WIRE:
        raise StartError("MongoDB is older than 5.0, which Roster needs: upgrade it.")
    if database.client.options.direct_connection and len(hello.get("hosts", ())) > 1:
        raise StartError(
            "ROSTER_MONGO_URI asks for directConnection to a set of several nodes, and would not follow a "
            "new primary: take the option out, and name replicaSet and the hosts."
        )


async def _reach_redis(redis: Redis, timeout_s: float) -> None:
    redis_connection = RedisConnection(redis, timeout_s=timeout_s)
    try:
        await redis.ping()
        await probes.probe_redis(redis_connection)
        _check_eviction(
            await redis_connection.call(lambda _: pack("INFO", "memory") + pack("INFO", "persistence"), 2)
        )
    except RedisError as error:
        raise _failed("Redis", "ROSTER_REDIS_URL", error) from None
    finally:
        redis_connection.close()


def _failed(name: str, setting: str, error: Exception) -> StartError:
    """The error of a backend: a refusal is final, silence may end."""
    if driver_errors.is_refusal(error):
        return StartError(
            f"{name} refuses what Roster needs ({driver_errors.explain(error)}): check {setting}."
        )
    return _AwayError(f"{name} cannot be reached ({driver_errors.explain(error)}): check {setting}.")


def _check_eviction(found: Replies) -> None:
    """Refuse a Redis that evicts: it would sign people out and forget throttles."""
    about = dict(line.split(":", 1) for text in found.replies for line in text.splitlines() if ":" in line)
    policy = about.get("maxmemory_policy", "noeviction")
    if policy.startswith("allkeys"):
        raise StartError(f"Redis evicts sessions (maxmemory-policy {policy}): set it to noeviction.")
    if policy != "noeviction":
        log.warning("redis_may_evict_sessions", policy=policy, should_be="noeviction")
    if about.get("aof_enabled") == "0":
        log.warning("redis_may_forget_sessions", appendonly="no", should_be="yes")


async def find_secret(settings: Settings, database: Database) -> str:
    """The secret that is set, else the one that the first process made and stored in MongoDB."""
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
        raise StartError("MongoDB did not store the secret key: set ROSTER_SECRET_KEY.")
    return str(kept["value"])
