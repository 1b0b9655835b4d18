"""The fuzzer's own virtual environment: it pins what the service does not need, and some of it otherwise."""

import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent
FOLDER = _ROOT / ".venv-fuzz"
_LOCK = _ROOT / "requirements-fuzz.lock"
_MADE_FROM = FOLDER / "made-from.lock"


def program(name: str) -> Path:
    """A program of it; the environment is made at the first call, and again when the lock has changed."""
    if not _MADE_FROM.exists() or _MADE_FROM.read_bytes() != _LOCK.read_bytes():
        print("Making the fuzzer's virtual environment.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
        install = (*("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"), _LOCK)
        subprocess.run([FOLDER / "bin" / "python", *install], check=True)
        shutil.copy(_LOCK, _MADE_FROM)  # last: what broke off is made again
    return FOLDER / "bin" / name
