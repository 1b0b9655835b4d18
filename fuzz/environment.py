"""The fuzzer's own virtual environment: it pins what the service does not need, and some of it otherwise."""

from pathlib import Path

from tools import environment

_ROOT = Path(__file__).parent.parent
FOLDER = _ROOT / ".venv-fuzz"
_LOCK = _ROOT / "requirements-fuzz.lock"


def program(name: str) -> Path:
    """A program of it; the environment is made at the first call, and again when the lock has changed."""
    environment.make(FOLDER, _LOCK, stamp="made-from.lock")
    return FOLDER / "bin" / name
