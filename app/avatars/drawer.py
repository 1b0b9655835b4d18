"""The drawing process, as its owner sees it: started when the first picture comes, replaced when it fails."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from app.avatars.frames import LENGTH, Reply, read
from app.core.errors import (
    PictureTooLargeError,
    TooManyPicturesError,
    UnavailableError,
    UnreadablePictureError,
)
from app.spreadsheets.reading.tables import environment

LONGEST_S: Final = 4.0
"""How long one picture may take, with the start of the process; of processor time it has less."""
WAITING: Final = 32
"""The most pictures that wait for those before them."""
_ROOT: Final = Path(__file__).parents[2]
_START: Final = """
import os, sys
os.nice(10)
sys.path.insert(0, sys.argv.pop(1))
from app.avatars import child
child.main()
"""
_ERRORS: Final = {error.code: error for error in (UnreadablePictureError, PictureTooLargeError)}


class Drawer:
    """Has pictures drawn, one after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    def check_room(self) -> None:
        """TooManyPicturesError while as many wait as may."""
        if self._waiting >= WAITING:
            raise TooManyPicturesError("Too many pictures wait to be drawn: try again soon.", retry_after=5)

    async def draw(self, content: bytes) -> Reply:
        """The squares of a picture. UnreadablePictureError, PictureTooLargeError: of the picture.

        UnavailableError: of the process, as the machine is busy or somebody ended it.
        """
        self.check_room()
        self._waiting += 1
        try:
            async with self._turn:
                reply = await self._ask(content)
        finally:
            self._waiting -= 1
        if reply.code is not None:
            raise _ERRORS[reply.code](reply.detail)
        return reply

    async def _ask(self, content: bytes) -> Reply:
        process = self._process = self._process or _begin()
        asking = asyncio.create_task(asyncio.to_thread(_exchange, process, content))
        try:
            await asyncio.wait({asking}, timeout=LONGEST_S)
        finally:
            if not asking.done():
                self.close()
        reply = await asking
        if reply is not None:
            return reply
        if self.close() == 1:
            msg = "the drawing process failed, and the log has its traceback"
            raise RuntimeError(msg)
        raise UnavailableError("The picture was not drawn in time: try again.", retry_after=5)

    def close(self) -> int | None:
        """End the process with what it has forked; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # of what was not written to it
                cast("BinaryIO", pipe).close()
        return code


def _begin() -> subprocess.Popen[bytes]:
    """Not by the event loop, as the readers of spreadsheets."""
    return subprocess.Popen(  # noqa: S603 - the program is ours
        [sys.executable, "-I", "-W", "ignore", "-c", _START, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )


def _exchange(process: subprocess.Popen[bytes], content: bytes) -> Reply | None:
    """The process's reply, or None if it ended before; for a thread."""
    requests, replies = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
    with suppress(OSError):
        requests.write(LENGTH.pack(len(content)) + content)
        requests.flush()
    return read(replies)
