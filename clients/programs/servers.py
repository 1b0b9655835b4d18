"""The servers of docs/sign-in.md, each in a process of its own, and a person before them in Chromium."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from clients import environment, examples
from clients.programs import chromium
from clients.programs.harness import CLIENTS, ISSUER, USER, step

URL = CLIENTS["server"]["url"]
PORT = int(URL.rpartition(":")[2])


def read(language: str, **instead: str) -> str:
    """The example, for this Roster and as its client `server`."""
    known = {
        "http://127.0.0.1:8000": ISSUER,
        '"shop"': f'"{CLIENTS["server"]["id"]}"',
        "Kx2m…": CLIENTS["server"]["secret"],
    }
    return examples.read("A server", language, **known, **instead)


@contextlib.contextmanager
def running(name: str, text: str, *command: str | Path, ready: str) -> Iterator[None]:
    """The text as a file of that name, run by the command in its folder; `ready` is what it prints then."""
    with tempfile.TemporaryDirectory(dir=environment.HERE) as made:  # below it, node finds modules
        (Path(made) / name).write_text(text)
        with subprocess.Popen(
            command,
            cwd=made,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as program:
            assert program.stdout is not None
            try:
                wait_for(ready, program.stdout)
                yield
            finally:
                os.killpg(program.pid, signal.SIGTERM)  # the wheel's `node` starts another process
                print(program.stdout.read())


def wait_for(ready: str, lines: IO[str]) -> None:
    said = ""
    for line in lines:
        said += line
        if ready in line:
            return
    raise AssertionError(said)


def sign_in_and_out(logout: str | None) -> None:
    """`logout` is the path at which the application signs out at Roster, too."""
    with chromium.opened() as page:
        with step("discovery, code with PKCE"):
            page.goto(URL)
            chromium.go_through(page)
            assert f"Hello, {USER['name']}" in page.content(), page.content()
        if logout is None:
            return
        with step("logout"):
            page.goto(f"{URL}{logout}")
            page.wait_for_selector("input[name=password]")
