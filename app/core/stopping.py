"""Stops tasks for certain."""

import asyncio
from typing import Any


async def stop(*tasks: asyncio.Future[Any], within_s: float | None = None, again_s: float = 2.0) -> None:
    """Cancel tasks every `again_s` until they have ended, or the time is over.

    Once is not enough: a driver may take the cancellation for a failure of its own, and its caller tries
    again. In between the tasks have time to clean up.
    """
    loop = asyncio.get_running_loop()
    due = None if within_s is None else loop.time() + within_s
    pending = {task for task in tasks if not task.done()}
    while pending and (due is None or loop.time() < due):
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_s)
