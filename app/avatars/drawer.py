"""The drawing process, as its owner sees it: started when the first picture comes, replaced when it fails."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.avatars.frames import GREEDY, LONGEST, Reply, read
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
START: Final = """
import os, sys
os.nice(10)
sys.path.insert(0, sys.argv.pop(1))
from app.avatars import child
child.main()
"""
_ERRORS: Final = {error.code: error for error in (UnreadablePictureError, PictureTooLargeError)}
_LARGE_PAGES: Final = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""A picture's process has all its memory anew: of pages of 4 KiB that cost a tenth of the drawing."""
_READ_BYTES: Final = 2**18
_SENT_AT_ONCE: Final = 2**20
"""As far as the system allows it: a usual picture need not wait until the first half was read."""


class Drawer:
    """Has pictures drawn, one after the other."""

    def __init__(self) -> None:
        self._process: _Process | None = None
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
        if self._process and not self._process.lives():
            self.close()
        process = self._process = self._process or _Process()
        reply, ended = None, None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_S):
                    reply = await process.draw(content)
        finally:
            if reply is None:
                ended = self.close()
        if reply is not None:
            return reply
        if ended == 1:
            msg = "the drawing process failed, and the log has its traceback"
            raise RuntimeError(msg)
        raise UnavailableError("The picture was not drawn in time: try again.", retry_after=5)

    def close(self) -> int | None:
        """End the process with what it has forked; its exit code."""
        process, self._process = self._process, None
        return process.close() if process else None


class _Process:
    """One that forks, which it does for each picture before that comes."""

    def __init__(self) -> None:
        """Not by the event loop, as the readers of spreadsheets."""
        self._control, theirs = socket.socketpair()
        with theirs:
            self._program: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - the program is ours
                [sys.executable, "-I", "-W", "ignore", "-c", START, str(_ROOT)],
                stdin=theirs.fileno(),
                env=environment() | _LARGE_PAGES,
                start_new_session=True,
            )
        self.pid = self._program.pid
        self._next = self._fork()

    async def draw(self, content: bytes) -> Reply | None:
        """None: the process that forks has ended."""
        connection, self._next = self._next, self._fork()
        with connection:
            reply = read(await _exchange(connection, content))
        self._tell(b"-")
        if reply is None and self.lives():
            return Reply(code=PictureTooLargeError.code, detail=GREEDY)
        return reply

    def lives(self) -> bool:
        try:
            return self._control.recv(1, socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> int:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._next.close()
        self._control.close()
        return self._program.wait()

    def _fork(self) -> socket.socket:
        """The socket of a process that waits for a picture; it is at its end if none could be forked."""
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT_AT_ONCE)
        with theirs:
            self._tell(b"+", theirs.fileno())
        return ours

    def _tell(self, what: bytes, *descriptors: int) -> None:
        with suppress(OSError):  # it has ended, which the next picture sees
            socket.send_fds(self._control, [what], descriptors)


async def _exchange(connection: socket.socket, content: bytes) -> bytes:
    """What the process of a picture replies, as far as it got, and hardly more than a reply may have."""
    loop, reply = asyncio.get_running_loop(), bytearray()
    with suppress(OSError):
        await loop.sock_sendall(connection, content)
        connection.shutdown(socket.SHUT_WR)
        while len(reply) <= LONGEST and (part := await loop.sock_recv(connection, _READ_BYTES)):
            reply += part
    return bytes(reply)
