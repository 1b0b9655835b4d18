"""What is said of machines that the embedded servers do not run on, and of Pythons that Roster does not."""

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import machine

ROOT = Path(__file__).parents[3]
WAYS = ": put {0} on PATH, set {1} to a server of yours, or run `docker compose up`, which brings its own."
MONGOD_WAYS = WAYS.format("mongod", "ROSTER_MONGO_URI")


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server on PATH and no setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    for setting in ("ROSTER_MONGO_URI", "ROSTER_REDIS_URL"):
        monkeypatch.delenv(setting, raising=False)


def be(monkeypatch: pytest.MonkeyPatch, system: str, processor: str, libc: tuple[str, str]) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "system", system.title)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: None)


@pytest.mark.parametrize(
    ("system", "processor", "libc", "reason"),
    [
        ("linux", "aarch64", ("glibc", "2.36"), "No mongod comes as a wheel for Linux aarch64"),
        ("win32", "AMD64", ("", ""), "No mongod comes as a wheel for Win32 AMD64"),
        ("darwin", "x86_64", ("", ""), "No mongod comes as a wheel for Darwin x86_64"),
        ("linux", "x86_64", ("", ""), "No mongod comes as a wheel for Linux without glibc"),
        (
            "linux",
            "x86_64",
            ("glibc", "2.31"),
            "The mongod that comes as a wheel needs glibc 2.34, and this machine has 2.31",
        ),
    ],
)
def test_a_machine_without_a_mongod_is_told_so_with_the_ways_out(
    monkeypatch: pytest.MonkeyPatch, system: str, processor: str, libc: tuple[str, str], reason: str
) -> None:
    be(monkeypatch, system, processor, libc)
    assert machine.find_lack() == reason + MONGOD_WAYS


@pytest.mark.parametrize(
    ("system", "processor", "libc"),
    [("linux", "x86_64", ("glibc", "2.34")), ("darwin", "arm64", ("", ""))],
)
def test_a_machine_with_both_wheels_lacks_nothing(
    monkeypatch: pytest.MonkeyPatch, system: str, processor: str, libc: tuple[str, str]
) -> None:
    be(monkeypatch, system, processor, libc)
    assert machine.find_lack() is None


def test_libraries_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, "linux", "x86_64", ("glibc", "2.36"))

    def load(library: str) -> None:
        if library == "libcurl.so.4":
            raise OSError

    monkeypatch.setattr(ctypes, "CDLL", load)
    lack = machine.find_lack()
    assert lack is not None
    assert lack.startswith("The mongod that comes as a wheel needs libcurl.so.4 (on Debian and Ubuntu: apt ")


@pytest.mark.parametrize(
    "line", ["ROSTER_MONGO_URI=mongodb://db", "export ROSTER_MONGO_URI = 'mongodb://db'"]
)
def test_a_server_of_ones_own_in_the_settings_file_is_a_way_out(
    monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    be(monkeypatch, "linux", "aarch64", ("glibc", "2.36"))
    Path(".env").write_text(f"# ROSTER_MONGO_URI=\n{line}\n")
    assert machine.find_lack() is None


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, "linux", "aarch64", ("glibc", "2.36"))
    Path(".env").write_text("ROSTER_MONGO_URI=\nROSTER_REDIS_URL=redis://cache\n")
    assert machine.find_lack() == "No mongod comes as a wheel for Linux aarch64" + MONGOD_WAYS


def test_a_machine_that_lacks_a_redis_alone_is_told_that(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, "linux", "riscv64", ("glibc", "2.39"))
    monkeypatch.setenv("ROSTER_MONGO_URI", "mongodb://db")
    ways = WAYS.format("redis-server", "ROSTER_REDIS_URL")
    assert machine.find_lack() == "No redis-server comes as a wheel for Linux riscv64" + ways


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "Makefile", folder)
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of `make test`
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=own, capture_output=True, check=False, text=True, timeout=60
    )


@pytest.mark.parametrize("target", ["run", "test", "check"])
def test_make_says_which_pythons_it_takes_before_it_installs(tmp_path: Path, target: str) -> None:
    other = tmp_path / "python3.14"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    done = make(tmp_path, target, f"PYTHON={other}")
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"Roster runs on Python 3.11, 3.12 and 3.13, and {other} is none of them" in done.stderr
    assert not (tmp_path / ".venv").exists()
