"""Stops tasks for certain, and lets what must not be stopped end."""

import asyncio
from collections.abc import Coroutine
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


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Do the work to its end, also where the caller is cancelled meanwhile: once it has ended they are.

    A shielded scope of anyio withstands only the cancellations of its own scopes.
    """
    task = asyncio.ensure_future(work)
    was_cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            was_cancelled = True
    task.result()
    if was_cancelled:
        raise asyncio.CancelledError
