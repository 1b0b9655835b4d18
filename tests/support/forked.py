"""`python -m …` forked from a process that has imported the program: at each start that takes two seconds."""

import multiprocessing
import os
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from multiprocessing import process, reduction, spawn, util
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__, "tests.support.program"])
_spawn = util.spawnv_passfds

forks_workers = False
"""Whether the workers of `serve` are forked, too, and not spawned as they are in truth."""


class _Stream:
    """A file descriptor that a process made by `_CONTEXT` inherits: there it is the number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> Any:
        return _inherit, (reduction.DupFd(self._number),)


def _inherit(duplicate: Any) -> int:
    return int(duplicate.detach())


class Process:
    """`python -m` with these words, in as much of `subprocess.Popen` as the tests ask."""

    def __init__(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], streams: Sequence[int]
    ) -> None:
        """`streams` are the descriptors of stdin, stdout and stderr, which stay the caller's to close."""
        inherited = [_Stream(number) for number in streams]
        self._words = list(words)
        self._process = _CONTEXT.Process(
            target=_be, args=(self._words, cwd, dict(env), inherited, forks_workers)
        )
        self._process.start()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(self._words, timeout or 0)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def run(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float, entered: str = ""
) -> subprocess.CompletedProcess[str]:
    """`python -m` with these words, to its end; `entered` comes through a pipe."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complaints:
        with open(reading, "rb") as stdin, open(writing, "w") as typed:  # noqa: PTH123 - they are no paths
            typed.write(entered)
            typed.close()
            streams = [file.fileno() for file in (stdin, printed, complaints)]
            running = Process(words, cwd=cwd, env=env, streams=streams)
        try:
            status = running.wait(timeout_s)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            raise
        texts = []
        for file in (printed, complaints):
            file.seek(0)
            texts.append(file.read())
        return subprocess.CompletedProcess(list(words), status, *texts)


def _be(
    words: list[str],
    folder: Path,
    variables: dict[str, str],
    streams: list[int],
    forks: bool,  # noqa: FBT001 - multiprocessing calls it
) -> None:
    """The program, in the process that is its own."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    encoding, _, errors = variables.get("PYTHONIOENCODING", "").partition(":")
    said: dict[str, Any] = {"encoding": encoding or None, "errors": errors or None}
    sys.stdin, sys.stdout = open(0, **said), open(1, "w", 1, **said)  # noqa: SIM115 - they stay open
    sys.stderr = open(2, "w", 1, **(said | {"errors": "backslashreplace"}))  # noqa: SIM115 - they stay open
    os.chdir(folder)
    vars(process)["ORIGINAL_DIR"] = str(folder)  # where the processes that it starts begin
    os.environ.clear()
    os.environ.update(variables)
    warnings.simplefilter("default")
    name, *arguments = words
    if forks:
        vars(util)["spawnv_passfds"] = _start_spawned
    sys.argv[1:] = arguments
    del sys.modules["app.__main__"]  # it is imported, and would not be run without a warning
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _start_spawned(path: Any, words: Sequence[Any], passed: Sequence[int]) -> int:
    """The id of a new process that multiprocessing spawns: a fork of this one, which has the imports.

    All else is as in a process that is spawned: what it is given comes through a pipe, no other files are
    open there, and no handler of a signal is left.
    """
    if "--multiprocessing-fork" not in words or "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        return _spawn(path, words, passed)  # in the second case for what modules read as they are imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that other threads run: the fork needs none
        number = os.fork()
    if number == 0:
        _be_spawned(words, {0, 1, 2, *passed})
    return number


def _be_spawned(words: Sequence[str], files: set[int]) -> None:
    try:
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for one, following in pairwise([*sorted(files), os.sysconf("SC_OPEN_MAX")]):
            os.closerange(one + 1, following)
        said = dict(re.findall(r"(\w+)=(\d+)", words[-2]))
        sys.argv[1:] = words[-1:]
        spawn.spawn_main(**{name: int(value) for name, value in said.items()})
    except SystemExit as end:
        os._exit(int(end.code or 0))
    finally:  # it came not so far
        traceback.print_exc()
        os._exit(1)
