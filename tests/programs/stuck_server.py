"""A server that halts in the midst of each change of users, between its last write and its commit."""

import asyncio
import sys
from typing import Any

from app import __main__, audit

HALTED = "A change waits."
"""What it prints then."""

_keep = audit.write.add


async def _keep_and_halt(*args: Any) -> None:
    await _keep(*args)
    sys.stdout.write(HALTED + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    vars(audit.write)["add"] = _keep_and_halt
    __main__.main()
