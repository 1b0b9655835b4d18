"""File locks that the kernel releases when the last process holding them ends, however it ends."""

import os
import sys
import time
from pathlib import Path

_POLL_S = 0.05
_BEYOND_TEXT = 1 << 30  # Windows refuses to read a locked byte: lock one that the text never reaches


def acquire(path: Path, *, wait_s: float = 0) -> int | None:
    """A descriptor that holds the lock until it and all inherited copies are closed; None if it is taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_s
    while not _try(descriptor):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            return None
        time.sleep(_POLL_S)
    return descriptor


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> bool:
        os.lseek(descriptor, _BEYOND_TEXT, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
