"""The clients' own environment: Python and Node with the locked packages, and a Chromium."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PYTHON: Final = HERE / ".venv" / "bin" / "python"
NODE: Final = HERE / ".venv" / "bin" / "node"
MODULES: Final = HERE / "node_modules"
_UNPACK: Final = "import chromium from '@sparticuz/chromium'; console.log(await chromium.executablePath())"


def variables() -> dict[str, str]:
    """The environment of a client: `node` is the locked one, and what we wrote is found."""
    path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(HERE.parent)}


def find_chromium() -> str:
    """The Chromium of the npm package, for Linux; CLIENTS_CHROMIUM names another."""
    if (named := os.environ.get("CLIENTS_CHROMIUM")) is not None:
        return named
    place = HERE / ".venv" / f"chromium-{read_version('@sparticuz/chromium')}"
    place.mkdir(exist_ok=True)  # by default it would be left in the folder for temporary files
    return _ask(NODE, "--input-type=module", "--eval", _UNPACK, TMPDIR=str(place))


def read_version(package: str) -> str:
    """Of a package of npm, or else of PyPI, as it is installed."""
    described = MODULES / package / "package.json"
    if described.exists():
        return str(json.loads(described.read_text())["version"])
    return _ask(PYTHON, "-c", f"import importlib.metadata as all; print(all.version({package!r}))")


def _ask(*command: str | Path, **more: str) -> str:
    done = subprocess.run(
        command, cwd=HERE, env=variables() | more, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
