"""The Chromium of the tests and of `make clients`, and axe-core that judges pages in it: of npm, locked."""

import ctypes.util
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
_HERE: Final = ROOT / "tools" / "console"
MODULES: Final = _HERE / "node_modules"
_NODE: Final = ROOT / "fuzz" / "spectral" / ".venv" / "bin" / "node"
_UNPACK: Final = """
import chromium, { inflate } from '@sparticuz/chromium';
const libraries = new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium'));
await inflate(libraries.pathname);
await chromium.executablePath();
"""

AXE: Final = MODULES / "axe-core" / "axe.min.js"
JUDGE: Final = """(without) => axe.run(document, {
  resultTypes: ['violations', 'incomplete'],
  rules: Object.fromEntries(without.map((rule) => [rule, {enabled: false}])),
})"""
"""A script that has axe-core judge a page by all rules but some."""
JUDGE_COLOURS: Final = "() => axe.run(document, {runOnly: ['color-contrast'], resultTypes: ['violations']})"
IS_WIDE: Final = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def find_chromium() -> str:
    """The Chromium of the npm package, for Linux; CHROMIUM names another."""
    if (named := os.environ.get("CHROMIUM")) is not None:
        return named
    place = _place()
    place.mkdir(exist_ok=True)  # by default it would be left in the folder for temporary files
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # what another process still writes cannot be run
        if not (place / "unpacked").exists():
            _unpack(place)
            (place / "unpacked").touch()
    return str(place / "chromium")


def _unpack(place: Path) -> None:
    subprocess.run(
        (
            str(_NODE) if _NODE.exists() else shutil.which("node") or "node",
            "--input-type=module",
            "-e",
            _UNPACK,
        ),
        cwd=_HERE,
        env=os.environ | {"TMPDIR": str(place)},
        check=True,
        capture_output=True,
    )


def launch_options() -> dict[str, Any]:
    """How playwright starts it; a bare machine lacks libraries that came with it."""
    lacks = ctypes.util.find_library("nss3") is None
    more = {"LD_LIBRARY_PATH": str(_place() / "al2023" / "lib")} if lacks else {}
    flags = ["--no-sandbox", "--no-zygote", "--use-gl=angle", "--use-angle=swiftshader"]
    return {"executable_path": find_chromium(), "args": flags, "env": os.environ | more}


def tell(found: dict[str, Any]) -> list[str]:
    """What axe-core found wrong, each with the first element that it is about."""
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


def read_version(package: str, modules: Path = MODULES) -> str | None:
    """Of a package of npm that is installed there."""
    described = modules / package / "package.json"
    return str(json.loads(described.read_text())["version"]) if described.exists() else None


def _place() -> Path:
    return MODULES / f".chromium-{read_version('@sparticuz/chromium')}"
