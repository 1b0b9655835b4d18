"""The wheel that `pipx install .` builds, and what stands beside it."""

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import pytest

from app import __version__
from tools import notices

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    options = ("--quiet", "--offline", "--wheel", "--out-dir")
    subprocess.run([uv, "build", *options, folder, ROOT], check=True)
    return ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_holds_every_file_of_the_three_packages_and_no_other(wheel: ZipFile) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith("/")}
    assert packed == {
        str(path.relative_to(ROOT))
        for package in ("app", "models", "routers")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "app/auth/sessions/scripts/create.lua" in packed


def test_the_wheel_carries_the_licence_and_the_notices_of_third_parties(wheel: ZipFile) -> None:
    carried = {name.split(".dist-info/licenses/")[1] for name in wheel.namelist() if "/licenses/" in name}
    assert {"LICENSE", "THIRD-PARTY-NOTICES.md", "app/auth/passwords/common.LICENSE"} <= carried


def test_the_console_script_is_the_command_line() -> None:
    module, function = PROJECT["project"]["scripts"]["roster"].split(":")
    assert getattr(import_module(module), function) is import_module("app.__main__").main


def test_the_version_is_the_same_wherever_it_stands() -> None:
    assert PROJECT["project"]["version"] == __version__
    releases = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert releases[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", release) for release in releases[1:])


def test_the_notices_name_what_the_lock_installs() -> None:
    assert (ROOT / "THIRD-PARTY-NOTICES.md").read_text() == notices.render(), "run `make snapshots`"


def test_help_tells_every_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    # A make within `make test` would tell which directory it enters.
    command = ["make", "--no-print-directory", "help"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    assert {line.split()[0] for line in listed.splitlines()} == set(phony) - {"python"}
