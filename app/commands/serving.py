"""The HTTP server: the socket it listens on and the processes that share it."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from app import main
from app.commands.http_protocol import BoundedHttp
from app.core.errors import StartError

log = structlog.get_logger("roster.start")

_BACKLOG = 2048
_STARTING_S = 60
"""How long a worker may be at its start before it is given up, and answer nothing before it is replaced."""
_TICK_S = 0.1
_STOPS_SOON = signal.SIGUSR1
"""Told to workers by the process that started them, before it tells them to stop."""


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


class _Server(uvicorn.Server):
    """Told to stop by SIGTERM it goes on for a while, not ready, so that balancers send it no one more."""

    def __init__(self, config: uvicorn.Config, *, delay_s: float) -> None:
        super().__init__(config)
        self._delay_s = delay_s

    async def main_loop(self) -> None:
        ignore_hangups(lambda: signal.raise_signal(signal.SIGTERM))
        await super().main_loop()
        _say_that_it_stops(cast("FastAPI", self.config.loaded_app))
        ends_at = time.monotonic() + (self._delay_s if self._is_terminated() else 0)
        tick = 0
        while time.monotonic() < ends_at and not self.force_exit:
            await asyncio.sleep(_TICK_S)
            await self.on_tick(tick := tick + 1)

    def _is_terminated(self) -> bool:
        """And not by Ctrl-C, which somebody waits for."""
        return self._captured_signals[:1] == [signal.SIGTERM]


class _Supervisor(Multiprocess):
    """As `_Server`, for all workers at once: one that is only replaced stays ready to its end."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], *, delay_s: float) -> None:
        super().__init__(config, sockets)
        self._delay_s = delay_s
        self._is_terminated = False

    def keep_subprocess_alive(self) -> None:
        """At once if one is killed while it is asked: open here too, its end of the pipe would not end."""
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()

    def handle_term(self) -> None:
        self._is_terminated = True
        super().handle_term()

    def handle_hup(self) -> None:
        """A stop ends it after the worker whose turn it is; Uvicorn looks for one when all are replaced."""
        replaced = threading.Event()
        threading.Thread(target=self._look_for_stop, args=(replaced,), daemon=True).start()
        super().handle_hup()
        replaced.set()

    def _look_for_stop(self, replaced: threading.Event) -> None:
        """In a thread: a signal's handler may not set an event for which the main thread may just wait."""
        while not self.should_exit.is_set() and not replaced.wait(_TICK_S):
            if signal.SIGTERM in self.signal_queue:
                self.handle_term()
            elif signal.SIGINT in self.signal_queue:
                self.handle_int()

    def terminate_all(self) -> None:
        for process in self.processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, _STOPS_SOON)
        if self._is_terminated:
            self._wait_for_balancers()
        super().terminate_all()

    def _wait_for_balancers(self) -> None:
        """Or until somebody presses Ctrl-C after all."""
        ends_at = time.monotonic() + self._delay_s
        while time.monotonic() < ends_at and signal.SIGINT not in self.signal_queue:
            time.sleep(_TICK_S)


def run(
    listening: socket.socket, *, workers: int, keep_alive_s: int, stop_delay_s: float, stop_grace_s: int
) -> None:
    """Serve until a signal ends it; settings reach the workers by the environment.

    With several workers, SIGHUP replaces one after the other, each once its successor serves; a worker that
    ends is replaced at once. A single process ignores it. SIGTERM makes `/health/ready` 503 at once, and
    after the delay drains.
    """
    config = uvicorn.Config(
        "app.main:create_app" if workers == 1 else "app.commands.serving:create_worker_app",
        factory=True,
        http=BoundedHttp,
        workers=workers,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # app.core.client_address believes configured proxies only
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=stop_grace_s,
        timeout_worker_healthcheck=_STARTING_S,
    )
    if workers > 1:
        _Supervisor(config, [listening], delay_s=stop_delay_s).run()
        return
    server = _Server(config, delay_s=stop_delay_s)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def ignore_hangups(stop: Callable[[], object]) -> None:
    """From now on SIGHUP is told of and ignored: one process alone could only be replaced with a gap.

    At a terminal it says that the terminal is gone: then `stop`.
    """

    def tell() -> None:
        log.warning("hangup_ignored", instead="restart it, or serve with --workers 2 or more")

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop if sys.stdin.isatty() else tell)


def create_worker_app() -> FastAPI:
    """The application of one worker process, which ends when the process that started it does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is for the process that started it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    app = main.create_app()
    asyncio.get_running_loop().add_signal_handler(_STOPS_SOON, _say_that_it_stops, app)
    return app


def _say_that_it_stops(app: FastAPI) -> None:
    if (opened := getattr(app.state, "container", None)) is not None:  # else it has not even started
        opened.readiness.stop()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
