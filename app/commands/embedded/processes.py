"""Processes known only by the pid that an earlier run recorded."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

_POLL_S = 0.02
_KILL_WAIT_S = 5
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has only this one


def read_number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def end(pid: int, *, pattern: str, grace_s: float) -> None:
    """Stop `pid`, by force after `grace_s`, if its command line matches `pattern`: pids are reused."""
    for how, wait_s in ((signal.SIGTERM, grace_s), (_KILL, _KILL_WAIT_S)):
        if not _matches(pid, pattern):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + wait_s
        while _matches(pid, pattern) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def _matches(pid: int, pattern: str) -> bool:
    return re.search(pattern, read_command_line(pid), re.DOTALL) is not None


def read_command_line(pid: int) -> str:
    """The command line; empty for a process that is gone, or has ended and is not reaped."""
    try:
        if Path("/proc/self/cmdline").exists():  # slim images have no ps
            return Path("/proc", str(pid), "cmdline").read_bytes().decode(errors="replace")
        answer = subprocess.run(  # noqa: S603 - a number is the only variable part
            ["/bin/ps", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            check=False,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout
