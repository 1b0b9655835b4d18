"""The environments that `make` makes: kept where they fit, made again where they do not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import environment

LOCK = "# nothing to install\n"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    return path


def make_python_that_copies(folder: Path) -> Path:
    """In the place of `python -m venv --clear`, which takes four seconds: copies what that made before."""
    kept, python = folder / "kept", folder / "python"
    shutil.copytree(folder / "env", kept, symlinks=True)
    python.write_text(f'#!/bin/sh\ntest "$3" = --clear && rm -r "$4" && cp -R "{kept}" "$4"\n')
    python.chmod(0o755)
    return python


def test_an_environment_is_made_once_and_its_lock_installed_again_when_it_changes(
    tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "env"
    environment.make(folder, lock, stamp="run.stamp")
    monkeypatch.setattr(sys, "executable", str(make_python_that_copies(tmp_path)))
    mine = folder / "mine"
    mine.touch()
    assert capsys.readouterr().out.count("\n") == 2
    environment.make(folder, lock, stamp="run.stamp")
    assert capsys.readouterr().out == ""
    lock.write_text(f"{LOCK}# nor now\n")
    environment.make(folder, lock, stamp="run.stamp")
    assert capsys.readouterr().out == f"Installing what requirements.lock names into {folder}.\n"
    assert mine.exists()
    # the Python below it is of another version, or gone
    for other in ("#!/bin/sh\necho 3.9\n", "#!/nowhere/python\n"):
        python = folder / "bin" / "python"
        python.unlink()
        python.write_text(other)
        python.chmod(0o755)
        mine.touch()
        environment.make(folder, lock, stamp="run.stamp")
        assert not mine.exists()
        version = subprocess.run([python, "--version"], capture_output=True, check=True, text=True).stdout
        assert version == f"Python {sys.version.split()[0]}\n"


def test_a_python_without_venv_is_told_what_to_install_and_leaves_nothing_behind(
    tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "env"
    without = tmp_path / "python"
    without.write_text(f'#!/bin/sh\nmkdir -p "{folder}/bin"\nexit 1\n')
    without.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(without))
    with pytest.raises(SystemExit, match="on Debian and Ubuntu install python3"):
        environment.make(folder, lock, stamp="run.stamp")
    assert not folder.exists()
