"""The peer's own virtual environment: fastapi-users pins an email-validator older than ours."""

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(".venv-peer")
_LOCK = Path(__file__).parent / "peer.lock"
_MADE_FROM = FOLDER / "peer.lock"


def python() -> str:
    """Its interpreter; the environment is made at the first call, and again when the lock has changed."""
    interpreter = FOLDER / "bin" / "python"
    if not _MADE_FROM.exists() or _MADE_FROM.read_bytes() != _LOCK.read_bytes():
        print("  making the peer's virtual environment", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
        install = (*("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"), _LOCK)
        subprocess.run([interpreter, *install], check=True)
        shutil.copy(_LOCK, _MADE_FROM)  # last: what broke off is made again
    return str(interpreter)
