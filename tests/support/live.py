"""The service as an operator runs it: `python -m app serve` in a process of its own, on a real socket."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
from pydantic import SecretStr

from app.commands.embedded import owners, processes
from app.core.settings import Settings
from tests.support import forked
from tests.support.suite_logs import KEEPER
from tests.support.tokens import mint_elsewhere

ROOT = Path(__file__).parents[2]
PATIENCE_S = int(os.environ.get("PATIENCE_S", "60"))
_TLS = ssl.create_default_context()
"""Made once: each client would take 20 ms for one of its own, though it speaks without TLS."""


def environment(folder: Path, **settings: Any) -> dict[str, str]:
    """The environment of a command: no setting but those given, and its data in the folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ROSTER_")}
    wanted = {"data_dir": folder / "data", "port": 0} | settings
    return (
        inherited
        | {f"ROSTER_{name.upper()}": str(value) for name, value in wanted.items()}
        | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "default"}
    )


def command(
    folder: Path, *arguments: str, entered: str = "", **settings: Any
) -> subprocess.CompletedProcess[str]:
    """`python -m app` with these arguments, run to its end in the folder; `entered` comes through a pipe."""
    variables = environment(folder, **settings)
    if _must_start(variables):
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=folder,
            env=variables,
            input=entered,
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE_S,
        )
    else:
        words = ("app", *arguments)
        done = forked.run(words, cwd=folder, env=variables, entered=entered, timeout_s=PATIENCE_S)
    KEEPER.keep(done.stderr)
    return done


_TMPDIR = os.environ.get("TMPDIR")


def _must_start(variables: Mapping[str, str]) -> bool:
    """Whether no fork will do: modules have read where temporary files go."""
    return variables.get("TMPDIR") != _TMPDIR


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    """Ended counts also where nobody reaps orphans, as in many containers."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def find_children(pid: int) -> list[int]:
    """The processes that the process started and that run still."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, thread.read_text().split())
    return found


def _start(
    words: Sequence[str], folder: Path, variables: Mapping[str, str], streams: tuple[int, int, int]
) -> subprocess.Popen[bytes] | forked.Process:
    """A fork where it is the same as a start."""
    stdin, stdout, stderr = streams
    if words[0] == "-m" and not _must_start(variables):
        with Path(os.devnull).open() as nothing:
            known = nothing.fileno() if stdin == subprocess.DEVNULL else stdin
            return forked.Process(words[1:], cwd=folder, env=variables, streams=(known, stdout, stderr))
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=variables, stdin=stdin, stdout=stdout, stderr=stderr
    )


class LiveProcess:
    """Ready when entered; what it wrote can be read from `printed` and `log`."""

    ready = ""
    """What it prints once it is."""

    def __init__(
        self,
        folder: Path,
        command: str,
        *arguments: str,
        program: tuple[str, ...] = ("-m", "app"),
        stdin: Any = subprocess.DEVNULL,
        **settings: Any,
    ) -> None:
        """`settings` go into the environment, without their prefix; `stdin` is a file descriptor."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.printed = ""
        self.log: list[Mapping[str, Any]] = []
        """The log lines so far."""
        self._errors: list[str] = []
        self._environment = environment(folder, **({"log_format": "json"} | settings))
        self._readers: list[threading.Thread] = []
        streams = (stdin, self._read(self._print), self._read(self._complain))
        self.process = _start((*program, command, *arguments), folder, self._environment, streams)
        for stream in streams[1:]:
            os.close(stream)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def errors(self) -> str:
        """What it wrote to stderr so far, the log among it."""
        return "".join(self._errors)

    def find(self, event: str, **fields: Any) -> list[Mapping[str, Any]]:
        """The log lines of an event that have these fields."""
        wanted = {"event": event} | fields
        return [line for line in self.log if wanted.items() <= line.items()]

    def read_memory(self, field: str = "VmHWM") -> int:
        """Bytes, as the kernel counts them; VmHWM is the most there ever were."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"{field}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status once it has ended and its output is read."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
            assert not reader.is_alive(), "a process it started lives on"
        return status

    def wait_until_ready(self) -> Self:
        wait_until(lambda: self.ready in self.printed or self.process.poll() is not None)
        assert self.process.poll() is None, self.errors
        return self

    def __enter__(self) -> Self:
        try:
            return self.wait_until_ready()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.stop(signal.SIGKILL)
            raise

    def _read(self, take: Callable[[str], None]) -> int:
        """The end of a pipe; a thread takes each line that is written there."""
        reading, writing = os.pipe()

        def take_all() -> None:
            with open(reading) as lines:  # noqa: PTH123 - it is no path
                for line in lines:
                    take(line)

        self._readers.append(threading.Thread(target=take_all, daemon=True))
        self._readers[-1].start()
        return writing

    def _print(self, line: str) -> None:
        self.printed += line

    def _complain(self, line: str) -> None:
        self._errors.append(line)
        if line.startswith("{") and line.endswith("}\n"):  # a killed process may leave half a line
            self.log.append(json.loads(line))
        KEEPER.keep(line)


class LiveWorker(LiveProcess):
    """`python -m app worker`."""

    ready = "waiting for jobs"

    def __init__(
        self,
        folder: Path,
        *,
        program: tuple[str, ...] = ("-m", "app"),
        stdin: Any = subprocess.DEVNULL,
        **settings: Any,
    ) -> None:
        super().__init__(folder, "worker", program=program, stdin=stdin, **{"log_format": "json"} | settings)


class LiveServer(LiveProcess):
    """`token` has all scopes."""

    ready = "users.xlsx"

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        program: tuple[str, ...] = ("-m", "app"),
        stdin: Any = subprocess.DEVNULL,
        **settings: Any,
    ) -> None:
        """`arguments` are those of `serve`."""
        super().__init__(folder, "serve", *arguments, program=program, stdin=stdin, **settings)
        self.settings = settings
        self.token = ""

    @property
    def url(self) -> str:
        """From what it printed for the newcomer."""
        found = re.search(r"(http://\S+)/docs", self.printed)
        assert found is not None, self.errors
        return found[1]

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        return url.host, url.port or 80

    @property
    def headers(self) -> dict[str, str]:
        """Of one who is signed in."""
        return {"Authorization": f"Bearer {self.token}"}

    def find_workers(self) -> set[int]:
        """The processes of `serve --workers N` that run, those that start or end among them."""
        own = processes.read_command_line(self.pid)
        lines = {pid: processes.read_command_line(pid) for pid in find_children(self.pid)}
        return {pid for pid, line in lines.items() if line == own or "spawn_main" in line}

    def count_started(self) -> int:
        """How many workers have ever served; a server of one process counts as one."""
        return len(self.find("Application startup complete."))

    def client(self, **options: Any) -> httpx.Client:
        """Signed in, and more patient than most."""
        usual: dict[str, Any] = {
            "base_url": self.url,
            "headers": self.headers,
            "timeout": PATIENCE_S,
            "verify": _TLS,
        }
        return httpx.Client(**(usual | options))

    def get(self, path: str) -> httpx.Response:
        with self.client() as client:
            return client.get(path)

    def sign_in(self, name: str, password: str) -> httpx.Response:
        with self.client(headers={}) as client:
            form = {"grant_type": "password", "username": name, "password": password}
            return client.post("/auth/token", data=form)

    def mint(self, *scopes: str) -> str:
        """A token that the server takes, of a user in no directory; with all scopes if none is named."""
        return mint_elsewhere(self._find_settings(), *scopes)

    def _find_settings(self) -> Settings:
        """The server's, with what it found out when it started."""
        said: dict[str, Any] = {
            name.removeprefix("ROSTER_").lower(): value
            for name, value in self._environment.items()
            if name.startswith("ROSTER_")
        }
        config = Settings(_env_file=self.folder / ".env", **said | {"host": "127.0.0.1"})
        found: dict[str, Any] = {"issuer": config.issuer or self.url}
        embedded = {"mongo": config.mongo_uri is None, "redis": config.redis_url is None}
        if any(embedded.values()):
            uris = owners.share(config.data_dir, **embedded)
            names = ("mongo_uri", "redis_url")
            found |= {name: SecretStr(uri) for name, uri in zip(names, uris, strict=True) if uri is not None}
        return config.model_copy(update=found)

    def wait_until_ready(self) -> Self:
        super().wait_until_ready()
        self.token = self.mint()
        return self
