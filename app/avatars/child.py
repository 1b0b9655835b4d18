"""The process that forks one for each picture, which draws it and ends with it.

So no picture has to wait for Python and Pillow to be loaded. It never holds a picture: each passes through a
socket between the server and the one process that draws it. So none finds anything of another, not even in
memory that was given back. It ends when its standard input is closed, whose other end only the server holds.
"""

import gc
import os
import resource
import signal
import socket
import sys
from collections import deque
from functools import partial
from typing import Final, NoReturn

from app.avatars.frames import Reply, write
from app.avatars.pictures import PictureError, draw, warm_up

MEMORY_BYTES: Final = 320 * 2**20
"""The address space of one picture's process, 100 MiB of which are Python's and Pillow's own."""
SECONDS: Final = 1.5
"""Of processor time, so that the caller has an answer within two."""
_AT_ONCE: Final = 2**20
"""The most bytes that are received by one call."""


def main() -> None:
    """Fork for each socket that comes; for each byte without one, end the oldest of the forked processes."""
    gc.collect()
    gc.freeze()  # shared with each fork as it is
    forked = deque[int]()
    with socket.socket(fileno=sys.stdin.fileno()) as control:
        while (told := socket.recv_fds(control, 1, 1))[0]:
            for descriptor in told[1]:
                forked.append(_fork(control, descriptor))
            if not told[1]:
                _end(forked.popleft())


def _fork(control: socket.socket, descriptor: int) -> int:
    pid = os.fork()
    with socket.socket(fileno=descriptor) as connection:
        if pid == 0:
            control.close()
            _work(connection)
    return pid


def _end(pid: int) -> None:
    """Also one that has answered and goes on."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _work(connection: socket.socket) -> NoReturn:
    warm_up()
    restrain()
    content = b"".join(iter(partial(connection.recv, _AT_ONCE), b""))
    try:
        form, squares = draw(content)
        reply = Reply(form, squares)
    except PictureError as error:
        reply = Reply(code=error.code, detail=str(error))
    connection.sendall(write(reply))
    connection.shutdown(socket.SHUT_WR)  # the server need not wait until memory is given back
    os._exit(0)


def restrain() -> None:
    """Bounds of this process, by which the system ends it."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))  # in whole seconds, but no picture can put it off
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
