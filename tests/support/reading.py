"""Readers of files that are forked from one that has imported all: each start takes a tenth of a second.

What a start of its own makes of a reader is for tests/unit/spreadsheets/test_reading_process.py.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from app.spreadsheets.reading import tables
from app.spreadsheets.reading.child import Request

_PROGRAM = Path(__file__).parents[1] / "programs" / "reader_server.py"
_ROOT = Path(__file__).parents[2]
_NUMBER = struct.Struct("i")


class ForkedReader:
    """In as much of `subprocess.Popen` as the readers' owner asks."""

    def __init__(self, stdin: int, stdout: int, told: int) -> None:
        """`told`: the pipe by which its pid comes and, once it has ended, its status."""
        self.stdin, self.stdout = open(stdin, "wb", 0), open(stdout, "rb", 0)  # noqa: SIM115 - the owner closes them
        self._told = told
        self.pid = self._read()
        self._status: int | None = None

    def kill(self) -> None:
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        if self._status is None:
            self._status = self._read()
            os.close(self._told)
        return self._status

    def _read(self) -> int:
        number: int = _NUMBER.unpack(os.read(self._told, _NUMBER.size))[0]
        return number


class ReaderServer:
    """Forks readers while it is entered."""

    def __enter__(self) -> Self:
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", _PROGRAM, _ROOT],
                stdin=theirs.fileno(),
                env=tables.environment(),
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._requests.close()  # which ends it, however this process ends
        self._process.wait()

    def begin(self, request: Request) -> ForkedReader:
        """In the place of `tables.begin`."""
        (stdin, typing), (reading, stdout), (told, telling) = os.pipe(), os.pipe(), os.pipe()
        socket.send_fds(self._requests, [request.write().encode()], [stdin, stdout, telling])
        for theirs in (stdin, stdout, telling):
            os.close(theirs)
        return ForkedReader(typing, reading, told)
