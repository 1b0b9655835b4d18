"""Forks a reader for each request that comes through the socket at its standard input.

python -I reader_server.py ROOT

With a request come the reader's standard input, its standard output, and a pipe by which its pid is told
and, once it has ended, its status.
"""

import os
import signal
import socket
import struct
import sys
import traceback
from typing import NoReturn

sys.path.insert(0, sys.argv[1])

from app.spreadsheets.reading import child

_NUMBER = struct.Struct("i")
_MOST_BYTES = 65_536


def serve(requests: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who look after readers
    while True:
        request, streams, *_ = socket.recv_fds(requests, _MOST_BYTES, 3)
        if not streams:
            return
        if os.fork() == 0:
            look_after(request.decode(), *streams)
        for stream in streams:
            os.close(stream)


def look_after(request: str, stdin: int, stdout: int, telling: int) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (pid := os.fork()) == 0:
        read(request, stdin, stdout)
    for stream in (stdin, stdout):
        os.close(stream)
    os.write(telling, _NUMBER.pack(pid))
    _, status = os.waitpid(pid, 0)
    os.write(telling, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def read(request: str, stdin: int, stdout: int) -> NoReturn:
    os.setsid()
    os.nice(10)
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.closerange(3, 1024)
    sys.argv[1:] = [request]
    status = 1
    try:
        child.main()
        status = 0
    except Exception:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=os.dup(0)))
