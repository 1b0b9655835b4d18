"""Says what this machine lacks for the servers of the embedded default, before anything is installed."""

import ctypes
import os
import platform
import re
import shutil
import sys
from pathlib import Path

# Where a wheel of the server runs, as the markers of pyproject.toml say it.
WHEELS = {
    "mongod": {("linux", "x86_64"), ("darwin", "arm64")},
    "redis-server": {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")},
}
_SETTINGS = {"mongod": "ROSTER_MONGO_URI", "redis-server": "ROSTER_REDIS_URL"}
# What the mongod for Ubuntu 22.04 loads, and minimal images and older distributions do not have.
_LIBRARIES = ("libcurl.so.4", "libcrypto.so.3", "libssl.so.3", "liblzma.so.5")
_GLIBC = (2, 34)


def find_lack() -> str | None:
    """One sentence on what is missing and how it can be had; None where the service can start."""
    for server, setting in _SETTINGS.items():
        if shutil.which(server) or _is_set(setting):
            continue
        reason = _find_obstacle(server)
        if reason:
            return (
                f"{reason}: put {server} on PATH, set {setting} to a server of yours, "
                "or run `docker compose up`, which brings its own."
            )
    return None


def _is_set(setting: str) -> bool:
    if os.environ.get(setting):
        return True
    env_file = Path(".env")
    lines = env_file.read_text(errors="replace") if env_file.is_file() else ""
    return re.search(rf"^\s*(export\s+)?{setting}[ \t]*=[ \t]*[^\s#]", lines, re.MULTILINE) is not None


def _find_obstacle(server: str) -> str | None:
    libc, version = platform.libc_ver()
    machine = platform.machine()
    name = f"{platform.system()} {machine}"
    if sys.platform == "linux" and libc != "glibc":
        return f"No {server} comes as a wheel for Linux without glibc"
    if (sys.platform, machine) not in WHEELS[server]:
        return f"No {server} comes as a wheel for {name}"
    if sys.platform == "linux" and server == "mongod":
        return _find_missing_library(version)
    return None


def _find_missing_library(glibc: str) -> str | None:
    if tuple(map(int, re.findall(r"\d+", glibc)[:2])) < _GLIBC:
        return f"The mongod that comes as a wheel needs glibc 2.34, and this machine has {glibc}"
    missing = [library for library in _LIBRARIES if not _loads(library)]
    if missing:
        return (
            f"The mongod that comes as a wheel needs {' and '.join(missing)} "
            "(on Debian and Ubuntu: apt install libcurl4 libssl3 liblzma5)"
        )
    return None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
