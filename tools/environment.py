"""Makes a virtual environment as a lock says, again whenever the lock or the Python has changed."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tools import machine


def make(folder: Path, lock: Path, *, stamp: str) -> None:
    """Return once the environment holds what the lock names; `stamp` is the file in it that says so.

    The lock is whole, so pip resolves nothing: for an extra that one package asks of another it takes
    the newest release instead of the pinned one, and stops for want of its hash (as pip 23.2 does).
    """
    python = folder / "bin" / "python"
    made_from = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not _is_ours(python):
        _create(folder)
    elif _read(folder / stamp) == made_from:
        return
    print(f"Installing what {lock.name} names into {folder}.", flush=True)
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement")
    subprocess.run([python, *install, lock], check=True)
    (folder / stamp).write_text(made_from)  # last: what broke off is done again


def _is_ours(python: Path) -> bool:
    """Whether it is of this very Python, has a pip and starts: the Python below it may be gone."""
    ask = "import pip, sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", ask], capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _create(folder: Path) -> None:
    version = ".".join(map(str, sys.version_info[:2]))
    print(f"Making {folder} with Python {version}.", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=False)
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(
            f"Python {version} could not make a virtual environment: "
            f"on Debian and Ubuntu install python{version}-venv, elsewhere its `venv` and `ensurepip`."
        )


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def main() -> None:
    folder, lock, stamp = sys.argv[1:]
    lack = machine.find_lack()
    if lack:
        sys.exit(lack)
    try:
        make(Path(folder), Path(lock), stamp=stamp)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
