"""The clients' own environment: Python and Node with the locked packages."""

import os
import subprocess
from pathlib import Path
from typing import Final

from tools import browser

HERE: Final = Path(__file__).parent
PYTHON: Final = HERE / ".venv" / "bin" / "python"
NODE: Final = HERE / ".venv" / "bin" / "node"
MODULES: Final = HERE / "node_modules"


def variables() -> dict[str, str]:
    """The environment of a client: `node` is the locked one, and what we wrote is found."""
    path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(HERE.parent)}


def read_version(package: str) -> str:
    """Of a package of npm, or else of PyPI, as it is installed."""
    for modules in (MODULES, browser.MODULES):
        if (found := browser.read_version(package, modules)) is not None:
            return found
    ask = f"import importlib.metadata as all; print(all.version({package!r}))"
    done = subprocess.run((PYTHON, "-c", ask), cwd=HERE, check=True, capture_output=True, text=True)
    return done.stdout.strip()
