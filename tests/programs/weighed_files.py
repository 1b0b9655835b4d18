"""A process that is weighed while files pass through it: `python -m tests.programs.weighed_files MIB MIB`.

It writes and reads a file of each size, in the store that the settings name. Prints for each the bytes by
which the process has grown at its most, from its start on.
"""

import asyncio
import re
import sys
from contextlib import aclosing
from pathlib import Path

from pymongo import AsyncMongoClient

from app.core import settings
from app.files import Files

_BLOCK = bytes(range(256)) * 4096


def read_memory(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


async def pass_through(files: Files, blocks: int) -> None:
    async with files.writing("exports", "x", None, content_type="text/csv") as (file_id, writer):
        for _ in range(blocks):
            await writer.write(_BLOCK)
    found = await files.find("exports", file_id)
    assert found is not None
    assert found.length == blocks * len(_BLOCK)
    async with aclosing(found.read(0, found.length)) as chunks:
        async for _ in chunks:
            pass
    await files.delete("exports", file_id)


async def main() -> None:
    found = settings.load()
    assert found.mongo_uri is not None
    before = read_memory("VmRSS")
    async with AsyncMongoClient[dict[str, object]](found.mongo_uri.get_secret_value()) as client:
        files = Files(client.get_default_database(), found)
        for size in sys.argv[1:]:
            await pass_through(files, int(size))
            sys.stdout.write(f"{read_memory('VmHWM') - before}\n")


if __name__ == "__main__":
    asyncio.run(main())
