"""PyMongo's waits for a node and for a connection, made safe to cancel on Python 3.11.

`asyncio.wait_for` of 3.11 waits in a task of its own. Where a caller is cancelled while that task takes
PyMongo's lock back, the caller leaves, the task gets the lock, and nobody ever releases it: all calls of the
process wait for ever. From 3.12 on `wait_for` waits in the caller's task, as this does.
"""

import asyncio

from pymongo._asyncio_lock import Condition
from pymongo.asynchronous import pool, topology

NAME = "_async_cond_wait"
"""Of PyMongo's own: not public, see its cap in pyproject.toml."""
USERS = (pool, topology)


async def wait(condition: Condition, timeout: float | None) -> bool:  # noqa: ASYNC109  # as PyMongo calls it
    """Whether the condition was notified in time; the caller holds its lock again in any case."""
    try:
        async with asyncio.timeout(timeout):
            return await condition.wait()
    except TimeoutError:
        return False


def mend() -> None:
    for module in USERS:
        setattr(module, NAME, wait)
