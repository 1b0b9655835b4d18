"""Adds the sample people numbered from START up to END: `python -m benchmarks.filling START END`."""

import asyncio
import sys

from app import container
from app.commands import samples
from app.core import settings


async def fill(start: int, end: int) -> None:
    async with container.opened(settings.load(), apply_indexes=False) as opened:
        added = await samples.add(opened, end - start, start=start)
    assert added == end - start


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1]), int(sys.argv[2])))
