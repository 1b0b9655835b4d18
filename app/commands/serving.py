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
"""How long a worker may take to start before it is given up, or not answer before it is replaced."""
_TICK_S = 0.1
_STOPS_SOON = signal.SIGUSR1
"""The signal by which the first process tells workers that it will stop them."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, opened before anything else starts, so that a taken port is reported first."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # the rest repeats the address
        raise StartError(
            f"Port {port} of {host} cannot be used ({reason}): "
            "stop the program that uses it, or choose another with --port or ROSTER_PORT."
        ) from None


def find_url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A server that goes on for a while after SIGTERM, not ready, so that balancers send it nothing more.

    It and the supervisor below override what is not public in Uvicorn, which pyproject.toml caps.
    """

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
        """Whether SIGTERM ends it, and not Ctrl-C, for which somebody waits."""
        return self._captured_signals[:1] == [signal.SIGTERM]


class _Supervisor(Multiprocess):
    """The same for all workers at once; a worker that is only replaced stays ready to its end."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], *, delay_s: float) -> None:
        super().__init__(config, sockets)
        self._delay_s = delay_s
        self._is_terminated = False

    def keep_subprocess_alive(self) -> None:
        """Replace dead workers; a worker that is killed while it is asked is noticed at once."""
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()

    def handle_term(self) -> None:
        self._is_terminated = True
        super().handle_term()

    def handle_hup(self) -> None:
        """Replace workers one by one; unlike in Uvicorn, a stop ends that after the current one."""
        replaced = threading.Event()
        threading.Thread(target=self._look_for_stop, args=(replaced,), daemon=True).start()
        super().handle_hup()
        replaced.set()

    def _look_for_stop(self, replaced: threading.Event) -> None:
        """Wait in a thread: a signal handler must not set an event that the main thread may wait for."""
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
        """Wait for the delay, or until Ctrl-C."""
        ends_at = time.monotonic() + self._delay_s
        while time.monotonic() < ends_at and signal.SIGINT not in self.signal_queue:
            time.sleep(_TICK_S)


def run(
    listening: socket.socket, *, workers: int, keep_alive_s: int, stop_delay_s: float, stop_grace_s: int
) -> None:
    """Serve until a signal; settings reach the workers by the environment.

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
        proxy_headers=False,  # app.core.client_address trusts only configured proxies
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
    """Log and ignore SIGHUP from now on: a single process could only be replaced with a gap.

    At a terminal SIGHUP means that the terminal is gone: then `stop`.
    """

    def tell() -> None:
        log.warning("hangup_ignored", instead="restart it, or serve with --workers 2 or more")

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop if sys.stdin.isatty() else tell)


def create_worker_app() -> FastAPI:
    """The application of one worker process, which ends when the process that started it does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is for the first process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    app = main.create_app()
    asyncio.get_running_loop().add_signal_handler(_STOPS_SOON, _say_that_it_stops, app)
    return app


def _say_that_it_stops(app: FastAPI) -> None:
    if (opened := getattr(app.state, "container", None)) is not None:  # else it has not started yet
        opened.readiness.stop()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
