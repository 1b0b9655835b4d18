"""Asks the server or the worker beside it how it is, for a container: `python -m app.health_check live`.

It asks past any proxy that the environment names. It imports nothing big: it is started every few seconds.
"""

import os
import socket
import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path

WORKER_SOCKET = Path(tempfile.gettempdir(), "roster-worker.sock")
"""The socket at which a worker answers `ready`, or what it lacks."""

READY = "ready"
_TIMEOUT_S = 4
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - any address is asked at loopback


def ask_server(probe: str) -> str:
    """`ready` where `/health/live` or `/health/ready` answers 200, else the body of the answer."""
    host = os.environ.get("ROSTER_HOST", "")
    port = int(os.environ.get("ROSTER_PORT") or 8000)
    connection = HTTPConnection(_LOOPBACK.get(host, host), port, timeout=_TIMEOUT_S)
    connection.request("GET", f"/health/{probe}")
    answer = connection.getresponse()
    return READY if answer.status == 200 else answer.read().decode(errors="replace")  # noqa: PLR2004 - HTTP's OK


def ask_worker() -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_TIMEOUT_S)
        connection.connect(str(WORKER_SOCKET))
        return connection.makefile(encoding="utf-8").read()


def main(*arguments: str) -> str | None:
    """None if all is well, else what is wrong."""
    try:
        said = ask_worker() if arguments == ("worker",) else ask_server(*arguments)
    except OSError as error:
        return f"It does not answer: {error}"
    return None if said == READY else said


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
