"""A log file that several processes can write to, and that is rotated when it is full."""

import os
import sys
import threading
from pathlib import Path


class LogFile:
    """`path` with the newest lines, `path.1` and on with older ones; readable by its owner alone.

    A line is one write to a file opened for appending, so that lines of several processes do not mix. Each
    process notices by itself that the file is full; the lock is on that very file, so that no process renames
    the next one.
    """

    def __init__(self, path: Path, *, most_bytes: int, kept: int) -> None:
        """`kept`: how many full files stay. OSError: the file cannot be written."""
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._lock = threading.Lock()
        self._descriptor = self._open()

    def write(self, line: str) -> None:
        """Append a line. OSError where the disk is full, for example."""
        with self._lock:
            os.write(self._descriptor, line.encode(errors="backslashreplace"))
            if os.fstat(self._descriptor).st_size > self._most_bytes:
                self._turn()

    def close(self) -> None:
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _turn(self) -> None:
        full = self._descriptor
        _lock(full)
        try:
            if os.path.samestat(os.fstat(full), self._path.stat()):
                self._put_aside()
        except FileNotFoundError:  # somebody removed it
            pass
        self._descriptor = self._open()
        os.close(full)  # and so releases the lock

    def _put_aside(self) -> None:
        for number in range(self._kept, 0, -1):
            newer = self._name(number - 1)
            if newer.exists():
                newer.replace(self._name(number))

    def _name(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        """Do nothing: Windows cannot rename an open file, so that there it grows."""

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
