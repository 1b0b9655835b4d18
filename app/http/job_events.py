"""Events of a job, for a listener while their session lasts."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.auth.access_tokens import Claims
from app.auth.sessions import Sessions
from app.core.errors import InvalidTokenError, JobNotFoundError, TooManyListenersError, UnavailableError
from app.jobs import Job, Jobs, Viewer

CHECK_S = 5.0
_RETRY_S = 5


async def listen(
    jobs: Jobs,
    sessions: Sessions,
    job_id: str,
    caller: Claims,
    viewer: Viewer,
    *,
    since: int | None,
) -> AsyncGenerator[Job | None, None]:
    """Yields the job at each change, None now and then; errors before the first event are raised here.

    Ends with the job, with the caller's session or token, or when a backend fails: the caller connects again.
    TooManyListenersError if this process has too many.
    """
    await jobs.find(job_id, viewer)
    if jobs.listeners.locked():
        raise TooManyListenersError(
            "This server has too many listeners: try again soon.", retry_after=_RETRY_S
        )
    return _listen(jobs, sessions, job_id, caller, since)


async def _listen(
    jobs: Jobs, sessions: Sessions, job_id: str, caller: Claims, since: int | None
) -> AsyncGenerator[Job | None, None]:
    async with jobs.listeners, aclosing(jobs.follow(job_id, since=since, quiet_s=CHECK_S)) as news:
        checked_at = time.monotonic()
        try:
            async for job in news:
                if time.monotonic() - checked_at >= CHECK_S:
                    await _check(sessions, caller)
                    checked_at = time.monotonic()
                yield job
        except (InvalidTokenError, JobNotFoundError, UnavailableError, PyMongoError, RedisError):
            return


async def _check(sessions: Sessions, caller: Claims) -> None:
    if caller.expires_at <= time.time():
        raise InvalidTokenError("The access token has expired.")
    await sessions.check(caller.user_id, caller.sid, client_id=caller.client_id)
