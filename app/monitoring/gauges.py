"""Gauges of pools and queues, set every few seconds.

They cannot be read when Prometheus asks: with several workers their parent answers it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NoReturn, Protocol

import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app import __version__
from app.core.limits import CountedSemaphore, Limiter
from app.core.settings import Settings
from app.monitoring import metrics
from app.monitoring.mongo_pools import MongoPoolListener
from models.job import JobKind, JobState

log = structlog.get_logger("roster.metrics")

_EVERY_S = 2.0


class Queue(Protocol):
    @property
    def waiting(self) -> int: ...


class Pool(Queue, Protocol):
    @property
    def running(self) -> int: ...


class Readiness(Protocol):
    async def look(self) -> Mapping[str, str | None]: ...


class Jobs(Protocol):
    async def count_open(self) -> Mapping[tuple[JobKind, JobState], int]: ...


class Sessions(Protocol):
    async def count(self) -> int: ...


class Auth(Protocol):
    @property
    def passwords(self) -> Pool: ...
    @property
    def sessions(self) -> Sessions: ...


class Connections(Protocol):
    @property
    def pools(self) -> MongoPoolListener | None: ...
    @property
    def redis_connection(self) -> Queue: ...


class Exports(Protocol):
    running: CountedSemaphore


class Outbox(Protocol):
    async def measure(self) -> tuple[int, float]: ...


class EventLog(Protocol):
    async def measure_lag(self) -> float: ...


class Events(Protocol):
    @property
    def log(self) -> EventLog: ...


class Webhooks(Protocol):
    async def count_failing(self) -> int: ...


class Live(Protocol):
    @property
    def listeners(self) -> int: ...


class Sampled(Protocol):
    """The parts of the container that the gauges are read from."""

    @property
    def settings(self) -> Settings: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def auth(self) -> Auth: ...
    @property
    def exports(self) -> Exports: ...
    @property
    def readiness(self) -> Readiness: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def events(self) -> Events: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def live(self) -> Live: ...


Sample = Callable[[Sampled], Awaitable[None]]


async def _sample_sizes(opened: Sampled) -> None:
    if opened.connections.pools is not None:
        metrics.MONGO_CONNECTIONS.labels("open").set(opened.connections.pools.open)
        metrics.MONGO_CONNECTIONS.labels("in_use").set(opened.connections.pools.in_use)
        metrics.MONGO_WAITING.set(opened.connections.pools.waiting)
    metrics.REDIS_WAITING.set(opened.connections.redis_connection.waiting)
    metrics.PASSWORDS.labels("running").set(opened.auth.passwords.running)
    metrics.PASSWORDS.labels("waiting").set(opened.auth.passwords.waiting)
    metrics.EXPORTS.set(opened.exports.running.taken)
    metrics.LISTENERS.set(opened.live.listeners)
    metrics.LOOP_TASKS.set(len(asyncio.all_tasks()))


def _sample_admission(limiters: Mapping[str, Limiter]) -> None:
    for kind, limiter in limiters.items():
        metrics.ADMISSION_LIMIT.labels(kind).set(limiter.limit)
        metrics.ADMISSION.labels(kind, "in_service").set(limiter.in_service)
        metrics.ADMISSION.labels(kind, "waiting").set(limiter.waiting)


async def _sample_readiness(opened: Sampled) -> None:
    parts = await opened.readiness.look()
    metrics.set_ready((part, wrong is None) for part, wrong in parts.items())


async def _sample_jobs(opened: Sampled) -> None:
    for (kind, state), number in (await opened.jobs.count_open()).items():
        metrics.JOBS.labels(kind, state).set(number)


async def _sample_mails(opened: Sampled) -> None:
    waiting, oldest_s = await opened.outbox.measure()
    metrics.MAILS_WAITING.set(waiting)
    metrics.MAILS_WAITING_SECONDS.set(oldest_s)


async def _sample_events(opened: Sampled) -> None:
    metrics.EVENTS_LAG.set(await opened.events.log.measure_lag())
    metrics.WEBHOOKS_FAILING.set(await opened.webhooks.count_failing())


async def _sample_sessions(opened: Sampled) -> None:
    metrics.SESSIONS.set(await opened.auth.sessions.count())


SAMPLES: list[Sample] = [
    _sample_sizes,
    _sample_readiness,
    _sample_jobs,
    _sample_mails,
    _sample_events,
    _sample_sessions,
]
"""Each sets gauges; where a backend fails, they stay as they are until the next round."""


@asynccontextmanager
async def sampling(opened: Sampled, limiters: Mapping[str, Limiter]) -> AsyncIterator[None]:
    """Set the gauges until the block is left, if metrics are served."""
    if opened.settings.metrics_port is None:
        yield
        return
    metrics.BUILD.labels(__version__).set(1)
    looking = asyncio.create_task(_keep_looking(opened, limiters))
    try:
        yield
    finally:
        looking.cancel()


async def _keep_looking(opened: Sampled, limiters: Mapping[str, Limiter]) -> NoReturn:
    loop = asyncio.get_running_loop()
    while True:
        _sample_admission(limiters)
        for sample in SAMPLES:
            try:
                await sample(opened)
            except (PyMongoError, RedisError) as error:
                log.warning("not_sampled", sample=sample.__name__, error=type(error).__name__)
        due = loop.time() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        metrics.LOOP_LAG.set(max(0.0, loop.time() - due))
