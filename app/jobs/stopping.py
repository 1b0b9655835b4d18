"""Tasks that are told to stop until they have."""

import asyncio
from typing import Any

_AGAIN_S = 2.0


async def stop(*tasks: asyncio.Future[Any], within_s: float | None = None) -> None:
    """Cancel them until they have ended, or the time is over.

    Once is not enough: a driver may take the cancellation for a failure of its own, and whoever asked it
    tries again. In between they have time to clear up.
    """
    loop = asyncio.get_running_loop()
    due = None if within_s is None else loop.time() + within_s
    pending = {task for task in tasks if not task.done()}
    while pending and (due is None or loop.time() < due):
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_S)
