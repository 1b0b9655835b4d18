"""Keeps one server alive exactly as long as its owner: a script of its own, run by path, never imported.

    keeper.py PID_FILE LOG_FILE COMMAND...

Standard input is a pipe that only the owner holds. However the owner ends, the kernel closes that pipe, and
the server is asked to stop: an orderly stop and a `kill -9` of the owner are the same to MongoDB and Redis.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

STOP_GRACE_S = 30
LOG_LIMIT_BYTES = 4 * 1024 * 1024
"""One older log of this size is kept beside the current one."""


def end_with_owner(server: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 1):  # the owner never writes: this returns nothing once the pipe is closed
        pass
    server.terminate()
    try:
        server.wait(STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        server.kill()


def copy_log(lines: Iterable[bytes], path: Path) -> None:
    for line in lines:
        with contextlib.suppress(OSError):  # a full disk loses log lines; it must not stop the server
            if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
                path.replace(path.with_suffix(".old"))
            with path.open("ab") as log:
                log.write(line)


def keep(pid_file: Path, log_file: Path, command: list[str]) -> int:
    # close_fds=False hands on the lock on the folder: it stays locked until the server itself is gone.
    server = subprocess.Popen(  # noqa: S603 - the command is the owner's own
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=False
    )
    pid_file.write_text(str(server.pid))
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    threading.Thread(target=end_with_owner, args=(server,), daemon=True).start()
    copy_log(server.stdout or (), log_file)
    code = server.wait()
    pid_file.unlink(missing_ok=True)
    return abs(code)


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
