"""A command that was forked says what one says that was started."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import forked
from tests.support.live import PATIENCE_S, environment


@pytest.mark.parametrize("arguments", [["clients", "add"], ["check"], ["openapi"]], ids=" ".join)
def test_its_output_and_its_end_are_those_of_python_m_app(arguments: list[str], tmp_path: Path) -> None:
    variables = environment(tmp_path, mongo_uri="mongodb:/nowhere", redis_url="redis://127.0.0.1:1")
    started = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=tmp_path,
        env=variables,
        input="",
        capture_output=True,
        check=False,
        text=True,
    )
    done = forked.run(["app", *arguments], cwd=tmp_path, env=variables, timeout_s=PATIENCE_S)
    assert (done.returncode, done.stdout, done.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )
