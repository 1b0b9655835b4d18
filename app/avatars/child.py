"""The process that draws pictures: it forks one of its own for each, which ends with it.

So no picture gets at the pipes of this one, where those of others pass, and none has to wait for Python and
Pillow to be loaded. It ends when its standard input, a pipe that only the owner holds, is closed.
"""

import gc
import os
import resource
import signal
import sys
from typing import BinaryIO, Final, NoReturn

from app.avatars.frames import GREEDY, LENGTH, LONGEST, Reply, write
from app.avatars.pictures import PictureError, draw

MEMORY_BYTES: Final = 320 * 2**20
"""The address space of one picture's process, 100 MiB of which are Python's and Pillow's own."""
SECONDS: Final = 1.5
"""Of processor time, so that the caller has an answer within two."""


def main() -> None:
    gc.collect()
    gc.freeze()  # shared with each fork as it is
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    while head := requests.read(LENGTH.size):
        content = requests.read(*LENGTH.unpack(head))
        answer = _answer(content)
        replies.write(LENGTH.pack(len(answer)) + answer)
        replies.flush()


def _answer(content: bytes) -> bytes:
    """The reply of a process of its own, or the error that it failed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.close(sys.stdin.fileno())
        os.close(sys.stdout.fileno())
        with os.fdopen(writing, "wb") as out:
            _work(content, out)
    os.close(writing)
    with os.fdopen(reading, "rb") as out_of_child:
        reply = out_of_child.read(LONGEST)
    _, status = os.waitpid(pid, 0)
    return reply if status == 0 else _refuse("picture_too_large", GREEDY)


def _work(content: bytes, out: BinaryIO) -> NoReturn:
    restrain()
    try:
        form, squares = draw(content)
        reply = write(Reply(form, squares))
    except PictureError as error:
        reply = _refuse(error.code, str(error))
    out.write(reply)
    out.flush()
    os._exit(0)


def _refuse(code: str, detail: str) -> bytes:
    return write(Reply(code=code, detail=detail))


def restrain() -> None:
    """Bounds of this process, by which the system ends it."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))  # in whole seconds, but no picture can put it off
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
