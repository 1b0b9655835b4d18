"""Words to the workers that a job is there: taskiq's tasks over a Redis stream.

They carry nothing but the job's id, and each of them may be lost or come twice: MongoDB knows the jobs.
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
_SEND_S = 0.5
_ANSWER_S = 5.0
_BLOCK_MS = 2_000
_PAUSE_S = 1.0
_LONGEST = 10_000
"""Words that a stream keeps. A worker that was away for more learns of the rest by the sweep."""


class JobQueue(RedisStreamBroker):
    """Connects when first used. A stream or group that was lost, with all of Redis perhaps, is made anew."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(
            url,
            queue_name=name,
            consumer_group_name="workers",
            consumer_id="0",  # what was sent before the first worker came is read, too
            consumer_name="worker",  # of all of them: Redis would keep a name for each that ever was
            maxlen=_LONGEST,
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_SEND_S,
            retry=Retry(NoBackoff(), 0),
        )

    async def send(self, job_id: str) -> bool:
        """Whether Redis has it; the sweep sends what it has not."""
        try:
            async with asyncio.timeout(_SEND_S):
                await AsyncKicker[..., None](TASK, self, {}).kiq(job_id)
        except (TaskiqError, RedisError, OSError, TimeoutError) as error:
            log.warning("job_not_announced", job_id=job_id, reason=type(error).__name__)
            return False
        return True

    async def listen(self) -> AsyncGenerator[Any, None]:
        """Each nudge to one worker; goes on, whatever happens to Redis; the log tells of it once.

        Redis keeps no list of those that were taken, as it would for taskiq's own `listen`: the sweep finds
        what a dead worker was told.
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
        """At most one: whoever reads more than it can run keeps it from the others."""
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
    """The driver may take a cancellation for a failure of its own, or for the end of its wait, and go on.

    taskiq cancels once, and then waits for as long as this listens.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
