"""The locks: written from pyproject.toml, and proved to install by wheels alone wherever Roster runs."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent
_UV = Path(sys.executable).parent / "uv"
_DEV = "requirements-dev.lock"
# What each is made of; what runs the service has the versions that its tests have.
LOCKS = {
    _DEV: ("pyproject.toml", "--extra", "embedded", "--extra", "dev"),
    "requirements.lock": ("pyproject.toml", "--extra", "embedded", "--constraint", _DEV),
    "requirements-image.lock": ("pyproject.toml", "--constraint", _DEV),
    "requirements-fuzz.lock": ("--group", "fuzz"),
    "fuzz/spectral/requirements.lock": ("--group", "spectral"),
    "clients/requirements.lock": ("--group", "clients"),
}
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
_COMPILE = (
    "--universal",
    "--python-version",
    PYTHONS[0],
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
)
_INSTALL = ("--only-binary", ":all:", "--require-hashes", "--dry-run")


def write(folder: Path, *options: str) -> None:
    """Write every lock into the folder; a lock that stands there keeps its versions where it can."""
    for name, sources in LOCKS.items():
        _run_uv("compile", *sources, *_COMPILE, *options, "--output-file", str(folder / name))


def find_stale() -> Iterator[str]:
    """The locks that name other versions than pyproject.toml now asks for."""
    with tempfile.TemporaryDirectory() as folder:
        for name in LOCKS:
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, Path(folder, name))
        write(Path(folder))
        for name in LOCKS:
            if read_pins(ROOT / name) != read_pins(Path(folder, name)):
                yield f"{name} is not what pyproject.toml asks for: run `make locks`."


def find_unresolved() -> Iterator[str]:
    """The Pythons and platforms where the locks need more than wheels, without installing anything."""
    for python, platform, name in product(PYTHONS, PLATFORMS, LOCKS):
        if _DEV in LOCKS[name]:  # a part of that one
            continue
        where = ("--python-version", python, "--python-platform", platform)
        try:
            with tempfile.TemporaryDirectory() as empty:
                _run_uv("install", *_INSTALL, *where, "--target", empty, "--requirement", name)
        except subprocess.CalledProcessError as error:
            yield f"{name} on Python {python}, {platform}:\n{error.stderr}"


def read_pins(lock: Path) -> list[str]:
    """`name==version ; marker` of each package, without the hashes."""
    return [line.rstrip(" \\") for line in lock.read_text().splitlines() if line[:1].isalnum()]


def _run_uv(command: str, *arguments: str) -> None:
    call = (str(_UV), "pip", command, "--quiet", *arguments)
    subprocess.run(call, cwd=ROOT, check=True, capture_output=True, text=True)


def check() -> None:
    findings = [*find_stale(), *find_unresolved()]
    if findings:
        sys.exit("\n".join(findings))
    print(f"The locks resolve on Python {', '.join(PYTHONS)} and {', '.join(PLATFORMS)}.")


def main() -> None:
    try:
        if sys.argv[1:2] == ["write"]:
            write(ROOT, *sys.argv[2:])
        else:
            check()
    except subprocess.CalledProcessError as error:
        sys.exit(error.stderr)


if __name__ == "__main__":
    main()
