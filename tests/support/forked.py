"""`python -m app` forked from a process that has imported it: at each start that would take two seconds."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from multiprocessing import reduction
from pathlib import Path
from typing import Any

with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # its consoles look for a terminal only now
    import app.__main__ as program

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


class _Stream:
    """A file descriptor that a process made by `_CONTEXT` inherits: there it is the number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> Any:
        return _inherit, (reduction.DupFd(self._number),)


def _inherit(duplicate: Any) -> int:
    return int(duplicate.detach())


def run(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], entered: str, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """To its end; `entered` comes through a pipe."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complaints:
        with open(reading, "rb") as stdin, open(writing, "w") as typed:  # noqa: PTH123 - they are no paths
            typed.write(entered)
            typed.close()
            streams = [_Stream(file.fileno()) for file in (stdin, printed, complaints)]
            process = _CONTEXT.Process(target=_be, args=(list(arguments), cwd, dict(env), streams))
            process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(list(arguments), timeout_s)
        texts = []
        for file in (printed, complaints):
            file.seek(0)
            texts.append(file.read())
        return subprocess.CompletedProcess(list(arguments), process.exitcode, *texts)


def _be(arguments: list[str], folder: Path, variables: dict[str, str], streams: list[int]) -> None:
    """The program, in the process that is its own."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    warnings.simplefilter("default")
    sys.modules["__main__"] = program
    sys.argv = [str(program.__file__), *arguments]
    program.main()
