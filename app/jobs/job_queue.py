"""Tells workers that a job is queued: taskiq's tasks over a Redis stream.

A message carries only the job's id, and may be lost or come twice: MongoDB keeps the jobs.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from taskiq.exceptions import TaskiqError
from taskiq.kicker import AsyncKicker
from taskiq_redis import RedisStreamBroker

log = structlog.get_logger("roster.jobs")

TASK = "run"
MAIL_TASK = "send_mails"
_SEND_S = 0.5
_ANSWER_S = 5.0
_BLOCK_MS = 2_000
_PAUSE_S = 1.0
_LONGEST = 10_000
"""Messages that a stream keeps. The sweep finds the jobs of those that were cut off."""


class JobQueue(RedisStreamBroker):
    """A taskiq broker that connects when first used and makes a lost stream or group anew."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(
            url,
            queue_name=name,
            consumer_group_name="workers",
            consumer_id="0",  # messages sent before the first worker started are read, too
            consumer_name="worker",  # the same for all: Redis would keep the name of every worker
            maxlen=_LONGEST,
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_SEND_S,
            retry=Retry(NoBackoff(), 0),
        )

    async def send(self, job_id: str) -> bool:
        """Whether Redis took the message; if not, the sweep sends it later."""
        failure = await self._kick(TASK, job_id)
        if failure is not None:
            log.warning("job_not_announced", job_id=job_id, reason=type(failure).__name__)
        return failure is None

    async def announce_mail(self) -> None:
        """Tell a worker that a mail waits; where Redis is away, they find it by themselves."""
        failure = await self._kick(MAIL_TASK)
        if failure is not None:
            log.warning("mail_not_announced", reason=type(failure).__name__)

    async def _kick(self, task: str, *arguments: str) -> Exception | None:
        """Why Redis did not take the message."""
        try:
            async with asyncio.timeout(_SEND_S):
                await AsyncKicker[..., None](task, self, {}).kiq(*arguments)
        except (TaskiqError, RedisError, OSError, TimeoutError) as error:
            return error
        return None

    async def listen(self) -> AsyncGenerator[Any, None]:
        """Yields messages, each to one worker; goes on through failures of Redis, which are logged once.

        Unlike taskiq's own `listen`, it has Redis keep no list of delivered messages: the sweep finds the
        jobs of dead workers.
        """
        is_away = False
        while True:
            try:
                async with Redis(connection_pool=self.connection_pool) as redis:
                    await self._declare_consumer_group()
                    is_away = False
                    while True:
                        for data in await self._read(redis):
                            yield data
                        _heed_cancellation()
            except (RedisError, OSError) as error:
                _heed_cancellation()
                if not is_away:
                    log.warning("jobs_not_heard", reason=type(error).__name__)
                is_away = True
                await asyncio.sleep(_PAUSE_S)

    async def _read(self, redis: Redis) -> list[bytes]:
        """At most one message: a worker that read more than it can run would keep them from others."""
        found: Any = await redis.xreadgroup(
            self.consumer_group_name,
            self.consumer_name,
            {self.queue_name: ">"},
            count=1,
            block=_BLOCK_MS,
            noack=True,
        )
        return [message[b"data"] for _, messages in found or () for _, message in messages]


def _heed_cancellation() -> None:
    """Raise a cancellation that the driver took for a failure or a timeout of its own.

    taskiq cancels once, and then waits until the listening ends.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
