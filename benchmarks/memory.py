"""What processes hold in memory, with their children."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK_S = 0.05


@contextmanager
def watching(pid: int) -> Iterator[list[int]]:
    """What the process and its children hold, looked at again and again."""
    seen = [held_bytes(pid)]
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK_S):
            seen.append(held_bytes(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def wait_until_idle(pid: int) -> int:
    """Bytes, once they change no more."""
    held = 0
    while (now := held_bytes(pid)) != held:
        held = now
        time.sleep(1)
    return held


def held_bytes(pid: int) -> int:
    """Of the process and the children it has; one that goes meanwhile counts as nothing.

    Proportional (PSS): a child that has just been forked shares all of its parent's pages, and holds none.
    """
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children = [child for task in tasks for child in task.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    share = next((int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")), 0)
    return share * 1024 + sum(held_bytes(int(child)) for child in children)
