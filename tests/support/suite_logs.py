"""All that Roster logs while the suite runs, kept for one search: no secret, no e-mail, no phone number.

What an app inside a test process logs is kept as it is written, what a server, worker or command writes to
stderr as it is read. Each test process writes a file of its own; when the last test has ended the files are
searched, and a find fails the run. A test that makes its own process log what no app would is marked
`logs_on_purpose`.
"""

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from os import write  # a test of a full disk puts another in its place
from pathlib import Path

import pytest

from app.monitoring import logs
from tools.cluster import SECRETS

VARIABLE = "SUITE_LOGS"
"""Names the folder to the test processes that the first one starts."""

_PASSWORDS = (
    "seven wet horses sing", "seven otters juggle quietly", "nine herons argue loudly",
    "eight badgers whisper softly", "correct horse", "a horse in the rain", "lètmein", "kanarienvogel",
)  # fmt: skip
"""What tests sign in with."""
_KEYS = ("0123456789abcdef0123456789abcdef", "a secret of the tests, long enough", "the-secret-of-that-key")


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(map(re.escape, texts))


_NO_KID = r'(?<!"kid":")(?<!kid=)'
"""The id of a public key is random, too, and no secret."""

PATTERNS: dict[str, re.Pattern[str]] = {
    "e-mail": re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w%][\w%.-]*"),
    "access token": re.compile(_NO_KID + r"(?<![\w-])eyJ[\w.-]{16,}"),
    "opaque token": re.compile(r"roster_(?:pat|svc)_[\w-]{10,}"),
    "refresh token": re.compile(r"\.[1-9]\d{0,14}\.[\w-]{43}"),
    "secret of a client, an invitation or a cursor's key": re.compile(
        _NO_KID + r"(?<![\w/.-])(?:(?=[\w-]*[A-Z])(?=[\w-]*\d)[A-Za-z0-9_-]{43}|[0-9a-f]{64})(?![\w/.-])"
    ),
    "client's credentials": re.compile(r"Basic [A-Za-z0-9+/]{16,}={0,2}"),
    "password": re.compile(_any_of(_PASSWORDS), re.IGNORECASE),
    "password of a backend": re.compile(_any_of(SECRETS.values()) + r"|://[^/\s:@]*:(?!\*)[^@/\s]+@"),
    "secret key": re.compile(_any_of(_KEYS)),
    "hash of a password": re.compile(r"\$argon2\w*\$|\$2[aby]\$\d\d\$|pbkdf2_\w+\$"),
    "phone number": re.compile(r"(?<![\w+/])(?:\+|%2B)[1-9]\d{7,14}\b"),
}
"""What no line may hold, by what it would be."""

_EXAMPLE = "must be an address such as ana@example.com"
"""What `create-admin` answers: an address in Roster's own words."""

_FOUND = "[found]"
_AROUND = 150
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Find:
    """A line that holds what it must not: where it is, and what, without saying it."""

    file: str
    line: int
    kind: str
    test: str
    """Which ran as the line was kept: a server that several tests share may have written it for another."""
    around: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}: {self.test}: {self.around}"


def search(folder: Path) -> Iterator[Find]:
    """All finds, in the order of files and lines."""
    for path in sorted(folder.iterdir()):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                test, _, written = line.partition(" | ")
                said = written.replace(r"\n", " ")  # within JSON: its n is no letter of what follows
                said = said.replace(_EXAMPLE, "")
                for kind, pattern in PATTERNS.items():
                    if pattern.search(said):
                        yield Find(path.name, number, kind, test, _mask(said))


def _mask(line: str) -> str:
    """What is around the first find, with all that may be found as `[found]`."""
    for pattern in PATTERNS.values():
        line = pattern.sub(_FOUND, line)
    first = line.find(_FOUND)
    return line[max(0, first - _AROUND) : first + _AROUND].strip()


class Keeper:
    """Keeps lines in a file of this process, once it is opened; before, and outside the suite, nothing."""

    test = "-"
    on_purpose = False
    """Whether what this process itself logs now is what no app would."""

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def open(self, folder: Path) -> None:
        """Never closed: a thread may still read what a server says as the process ends."""
        path = folder / f"{os.getpid()}.log"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def keep(self, text: str) -> None:
        """Lines, whole ones or what was left of them."""
        if self._descriptor is not None:
            lines = "".join(f"{self.test} | {line}\n" for line in text.splitlines())
            write(self._descriptor, lines.encode(errors="replace"))

    def keep_own(self, line: str) -> None:
        if not self.on_purpose:
            self.keep(line)


KEEPER = Keeper()

_FOLDER = pytest.StashKey[Path]()
_FINDS = pytest.StashKey[list[Find]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs_on_purpose: the test makes its process log what no app would")
    if not hasattr(config, "workerinput"):  # the process that starts the others, or the only one
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="roster-suite-logs-"))
        os.environ[VARIABLE] = str(config.stash[_FOLDER])
    KEEPER.open(Path(os.environ[VARIABLE]))
    _keep_own_lines()


def _keep_own_lines() -> None:
    log = logs._write

    def write_and_keep(line: str) -> None:
        KEEPER.keep_own(line)
        log(line)

    logs._write = write_and_keep
    logs.configure("info", "json")  # for what is logged before there is an app
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the tests' client tells of each address it asks


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    KEEPER.test = item.nodeid.partition("[")[0]  # what stands in brackets may be what is searched for
    KEEPER.on_purpose = item.get_closest_marker("logs_on_purpose") is not None
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Once the other processes have ended, too."""
    if (folder := session.config.stash.get(_FOLDER, None)) is None:
        return
    finds = session.config.stash[_FINDS] = list(search(folder))
    if finds and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if finds := config.stash.get(_FINDS, []):
        terminalreporter.section("What no log may hold", red=True)
        for find in finds[:_SHOWN]:
            terminalreporter.line(str(find))
        terminalreporter.line(f"{len(finds)} found in {config.stash[_FOLDER]}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Without a find nothing stays."""
    if (folder := config.stash.get(_FOLDER, None)) is not None and not config.stash.get(_FINDS, []):
        shutil.rmtree(folder)
