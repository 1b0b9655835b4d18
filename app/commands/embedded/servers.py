"""One server process under its keeper, in a folder of its own: `data/`, `log`, `pid` and `port`."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from app.commands.embedded import keeper, log_files, ports, processes
from app.core.errors import StartError

READY_WITHIN_S = 60
_POLL_S = 0.02
_PORT_ATTEMPTS = 3

if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _CREATION_FLAGS = 0


class Server:
    """A server that `start` starts and `stop` ends; it also ends when this process does."""

    def __init__(
        self, folder: Path, *, command: Callable[[Path, int], list[str]], ready: Callable[[int], int | None]
    ) -> None:
        """`folder` is named as the program is.

        `command` makes the command line from data folder and port; `ready` asks once, and returns the pid
        once the server is ready at the port.
        """
        self.folder = folder
        self.name = folder.name
        self.log = folder / "log"
        self.port = 0
        self._command = command
        self._ready = ready
        self._keeper: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The pid of the server itself; None once its keeper has seen it end."""
        return processes.read_number(self.folder / "pid")

    def start(self, *, lock: int | None = None) -> None:
        """Start it, on its last port if free, and wait until it is ready; `stop` it even after StartError.

        `lock` is a descriptor that the server holds while it runs.
        """
        (self.folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            self._choose_port()
            self._launch(lock)
            try:
                return self._wait()
            except StartError as error:
                # another program may take the port before the server does
                if "address already in use" not in str(error).lower() or not attempts_left:
                    raise
                self.stop()
        return None

    def stop(self) -> None:
        if self._keeper is None:
            return
        if self._keeper.stdin:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(keeper.STOP_GRACE_S + 5)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._keeper = None
        end_leftover(self.folder)  # needed only if the keeper was killed

    def _choose_port(self) -> None:
        remembered = processes.read_number(self.folder / "port")
        self.port = remembered if remembered and ports.is_free(remembered) else ports.choose()
        (self.folder / "port").write_text(str(self.port))

    def _launch(self, lock: int | None) -> None:
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        script = [sys.executable, "-I", "-S", keeper.__file__, str(self.folder / "pid"), str(self.log)]
        self._keeper = subprocess.Popen(  # noqa: S603 - our own script and a binary the operator installed
            script + self._command(self.folder / "data", self.port),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=() if lock is None or sys.platform == "win32" else (lock,),
            # Ctrl-C must not stop the servers before the app has closed its connections
            start_new_session=True,
            creationflags=_CREATION_FLAGS,
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while (ready_pid := self._ready(self.port)) is None or ready_pid != self.pid:
            if self._keeper is None or self._keeper.poll() is not None:
                raise StartError(self._explain("ended while starting"))
            if time.monotonic() > deadline:
                raise StartError(self._explain(f"was not ready within {READY_WITHIN_S} seconds"))
            time.sleep(_POLL_S)

    def _explain(self, what: str) -> str:
        last_error = log_files.find_last_error(self.log, start=self._log_start)
        return f"{self.name} {what}, its log {self.log} says: {last_error}"


def end_leftover(folder: Path) -> None:
    """End the server of the folder if it outlived its keeper; returns when it is gone or cannot be ended."""
    pid, port = (processes.read_number(folder / name) for name in ("pid", "port"))
    if pid and port:
        pattern = rf"\b(mongod|redis-server|valkey-server)\b.*\b{port}\b"
        processes.end(pid, pattern=pattern, grace_s=keeper.STOP_GRACE_S)
