"""The HTTP server: the socket it listens on and the processes that share it."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from contextlib import suppress

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from app import main
from app.bounded_http import BoundedHttp
from app.errors import StartError

_BACKLOG = 2048
_STARTING_S = 60
"""How long a worker may be at its start before it is given up, and answer nothing before it is replaced."""


def listen(host: str, port: int) -> socket.socket:
    """Listening before anything else starts, so that a taken port is known first; port 0 is any free one."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # what follows repeats the address
        raise StartError(
            f"Port {port} of {host} cannot be listened on ({reason}): "
            "stop what uses it, or choose another with --port or ROSTER_PORT."
        ) from None


def find_url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Supervisor(Multiprocess):
    """Notices at once that a worker is killed, also while it waits for its answer.

    Uvicorn keeps the worker's end of their pipe open beside the worker, so that the pipe outlives it, and
    waits on for the rest of the time-out: a minute, in which a SIGTERM is not heard either.
    """

    def keep_subprocess_alive(self) -> None:
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()


def run(listening: socket.socket, *, workers: int, keep_alive_s: int, stop_grace_s: int) -> None:
    """Serve until a signal ends it; settings reach the workers by the environment.

    With several workers, SIGHUP replaces one after the other, each once its successor serves; a worker that
    ends is replaced at once.
    """
    config = uvicorn.Config(
        "app.main:create_app" if workers == 1 else "app.serving:create_worker_app",
        factory=True,
        http=BoundedHttp,
        workers=workers,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # app.addresses believes configured proxies only
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=stop_grace_s,
        timeout_worker_healthcheck=_STARTING_S,
    )
    if workers > 1:
        _Supervisor(config, sockets=[listening]).run()
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def create_worker_app() -> FastAPI:
    """The application of one worker process, which ends when the process that started it does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return main.create_app()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
