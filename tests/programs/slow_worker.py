"""A worker whose exports take their time, so that a test can do something to it in the midst of one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from app import __main__
from app.exports import streaming
from app.listing import streams
from app.spreadsheets.writing import Writer

PAUSE_S = 0.2
ROWS = 20

_begin = streaming.begin


async def _begin_slowly(*args: Any, **said: Any) -> tuple[Writer, AsyncGenerator[bytes, None]]:
    sheet, chunks = await _begin(*args, **said)

    async def slowly() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            async for chunk in chunks:
                await asyncio.sleep(PAUSE_S)
                yield chunk

    return sheet, slowly()


if __name__ == "__main__":
    streams.BATCH_ROWS = ROWS
    vars(streaming)["begin"] = _begin_slowly
    __main__.main()
