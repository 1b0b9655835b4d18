"""A server that halts in the midst of each change of users, between its last write and its commit."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from app import __main__, audit

HALTED = "A change waits."
"""What it prints then."""


def _halting(write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[None]]:
    async def write_and_halt(*args: Any, **options: Any) -> None:
        await write(*args, **options)
        sys.stdout.write(HALTED + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    return write_and_halt


if __name__ == "__main__":
    for name in ("add", "change"):
        vars(audit.write)[name] = _halting(vars(audit.write)[name])
    __main__.main()
