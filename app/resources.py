"""MongoDB, Beanie and Redis: opened and closed together, the same way for web, command line and tests."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from beanie import init_beanie
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from app import indexes, migrations
from app.channel import Channel
from app.cursors import CursorSealer
from app.errors import StartError
from app.jobs import Jobs, Nudges
from app.keyring import Keyring, keep_current
from app.limits import CountedSemaphore
from app.password_keys import PasswordKeys
from app.passwords import Passwords
from app.pool_watch import PoolWatch
from app.readiness import Readiness
from app.rows import BSON
from app.sessions import Sessions
from app.settings import Settings
from app.throttles import Throttle
from app.tokens import AccessTokens
from models.user import User

log = structlog.get_logger("roster.start")

DEFAULT_DATABASE = "roster"
_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Resources:
    """What a running process holds."""

    settings: Settings
    database: AsyncDatabase[dict[str, Any]]
    users: AsyncCollection[dict[str, Any]]
    pools: PoolWatch | None
    """Where metrics are served."""
    redis: Redis
    channel: Channel
    cursors: CursorSealer
    exports: CountedSemaphore
    """For those that may run at once."""
    listeners: asyncio.Semaphore
    """Room for those who listen to events at once."""
    keyring: Keyring
    tokens: AccessTokens
    sessions: Sessions
    passwords: Passwords
    password_keys: PasswordKeys
    throttle: Throttle
    jobs: Jobs
    imports: asyncio.Semaphore
    """Room for the files that may be received at once."""
    readiness: Readiness


@asynccontextmanager
async def opened(
    settings: Settings, *, apply_indexes: bool = True, sign: bool = True, wait_s: float = 0
) -> AsyncIterator[Resources]:
    """Everything connected and checked. StartError says which backend is missing or wrong.

    One that does not answer yet is waited for `wait_s` seconds. Who does not `sign` tokens makes no key, and
    knows those of others as they are when it starts.
    """
    if settings.mongo_uri is None or settings.redis_url is None:
        raise _not_named()
    async with AsyncExitStack() as closing:
        pools = None if settings.metrics_port is None else PoolWatch()
        client = _mongo(settings, settings.mongo_uri.get_secret_value(), pools)
        closing.push_async_callback(client.close)
        redis = _redis(settings.redis_url.get_secret_value(), settings.redis_timeout_ms / 1000)
        closing.push_async_callback(redis.aclose)
        database = client.get_default_database(DEFAULT_DATABASE)
        await _wait(database, redis, wait_s)
        await init_beanie(database=database, document_models=[User], skip_indexes=True)
        if apply_indexes:
            await migrations.apply(database)
            await indexes.apply(database)
            await indexes.retain(database, audit_days=settings.audit_ttl_days)
        else:
            await migrations.refuse_newer(database)
        yield await _hold(settings, database, redis, closing, pools=pools, sign=sign)


async def _hold(
    settings: Settings,
    database: AsyncDatabase[dict[str, Any]],
    redis: Redis,
    closing: AsyncExitStack,
    *,
    pools: PoolWatch | None = None,
    sign: bool = True,
) -> Resources:
    secret = await _secret_key(settings, database)
    keyring = await Keyring.open(
        database,
        secret,
        algorithm=settings.token_algorithm,
        token_ttl_s=settings.access_token_ttl_s,
        sign=sign,
    )
    if sign:
        renewal = asyncio.create_task(keep_current(keyring))
        closing.callback(renewal.cancel)
    channel = Channel(redis, timeout_s=settings.redis_timeout_ms / 1000)
    closing.callback(channel.close)
    nudges = Nudges(_redis_url(settings), f"roster:jobs:{database.name}")
    closing.push_async_callback(nudges.shutdown)
    cursors = CursorSealer(secret, ttl_s=settings.cursor_ttl_s)
    passwords = Passwords(threads=settings.password_threads, waiting=settings.password_queue)
    closing.callback(passwords.close)
    return Resources(
        settings=settings,
        database=database,
        users=database[User.Settings.name].with_options(codec_options=BSON),
        pools=pools,
        redis=redis,
        channel=channel,
        cursors=cursors,
        exports=CountedSemaphore(settings.exports_at_once),
        listeners=asyncio.Semaphore(settings.listeners_at_once),
        keyring=keyring,
        tokens=AccessTokens(
            keyring,
            issuer=settings.issuer_url,
            audience=settings.audience,
            ttl_s=settings.access_token_ttl_s,
        ),
        sessions=Sessions(channel, database, secret, settings),
        passwords=passwords,
        password_keys=PasswordKeys(database, redis, secret),
        throttle=Throttle(
            channel, secret, per_account=settings.tries_per_account, per_address=settings.tries_per_address
        ),
        jobs=Jobs(database, nudges, cursors, ttl_s=settings.job_ttl_s),
        imports=asyncio.Semaphore(settings.imports_at_once),
        readiness=Readiness(database, channel, keyring),
    )


def _redis_url(settings: Settings) -> str:
    if settings.redis_url is None:
        raise _not_named()
    return settings.redis_url.get_secret_value()


def _not_named() -> StartError:
    return StartError("Set ROSTER_MONGO_URI and ROSTER_REDIS_URL, or start with `python -m app serve`.")


def _mongo(settings: Settings, uri: str, pools: PoolWatch | None = None) -> AsyncMongoClient[dict[str, Any]]:
    try:
        return AsyncMongoClient(
            uri,
            timeoutMS=settings.mongo_timeout_ms,
            serverSelectionTimeoutMS=settings.mongo_timeout_ms,
            maxPoolSize=settings.mongo_pool_size,
            w="majority",
            appname="roster",
            document_class=dict,
            event_listeners=[] if pools is None else [pools],
        )
    except (InvalidURI, ConfigurationError, ValueError):
        raise StartError(
            "ROSTER_MONGO_URI is not a MongoDB address: mongodb://host:27017/roster, say."
        ) from None


def _redis(url: str, timeout_s: float) -> Redis:
    """No hidden retries: a dead Redis is known in a millisecond, a frozen one when the time is up."""
    try:
        return Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
    except ValueError:
        raise StartError("ROSTER_REDIS_URL is not a Redis address: redis://host:6379/0, say.") from None


class _AwayError(StartError):
    """Who waits may find it there."""


async def _wait(database: AsyncDatabase[dict[str, Any]], redis: Redis, wait_s: float) -> None:
    """Servers and their service are often started together, and the servers take longer."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            await _reach(database, redis)
        except _AwayError as away:
            if time.monotonic() >= deadline:
                raise
            log.warning("waiting_for_backend", reason=str(away))
            await asyncio.sleep(_LOOK_AGAIN_S)
        else:
            return


async def _reach(database: AsyncDatabase[dict[str, Any]], redis: Redis) -> None:
    try:
        hello = await database.command("hello")
    except PyMongoError as error:
        raise _unreachable("MongoDB", "ROSTER_MONGO_URI", error) from None
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StartError("MongoDB must be a replica set (one node is enough): start it with --replSet.")
    try:
        await redis.ping()
        await _check_eviction(redis)
    except RedisError as error:
        raise _unreachable("Redis", "ROSTER_REDIS_URL", error) from None


def _unreachable(name: str, setting: str, error: Exception) -> StartError:
    """A refusal is for good, silence may not be."""
    refused = isinstance(error, OperationFailure | AuthenticationError | ResponseError)
    kind = StartError if refused else _AwayError
    return kind(f"{name} cannot be reached ({type(error).__name__}): check {setting}.")


async def _check_eviction(redis: Redis) -> None:
    """A session that was evicted is a person signed out; a throttle that was evicted is no throttle."""
    try:
        # one at a time: Redis 6 refuses two
        held = await redis.config_get("maxmemory-policy") | await redis.config_get("appendonly")
    except ResponseError:  # managed services hide CONFIG
        return
    policy = str(held.get("maxmemory-policy") or "noeviction")
    if policy.startswith("allkeys"):
        raise StartError(f"Redis evicts sessions (maxmemory-policy {policy}): set it to noeviction.")
    if policy != "noeviction":
        log.warning("redis_may_evict_sessions", policy=policy, should_be="noeviction")
    if held.get("appendonly") == "no":
        log.warning("redis_may_forget_sessions", appendonly="no", should_be="yes")


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
