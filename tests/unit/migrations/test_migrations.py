"""Migrations are found by their numbers."""

import sys
from pathlib import Path

import pytest

from app.migrations import STEPS, discover

_STEP = '"""Do {n}."""\nasync def migrate(database):\n    """Nothing."""\n'


def package(folder: Path, name: str, *numbers: int) -> str:
    made = folder / name
    made.mkdir()
    (made / "__init__.py").write_text("")
    for number in numbers:
        (made / f"m{number:04}_step.py").write_text(_STEP.format(n=number))
    return name


def test_steps_stand_in_the_order_of_their_numbers_and_say_what_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    found = discover(package(tmp_path, "in_order", 2, 1, 3))
    assert [(step.version, step.what) for step in found] == [(1, "Do 1."), (2, "Do 2."), (3, "Do 3.")]
    assert "in_order.m0001_step" in sys.modules


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="m0001_step, m0003_step"):
        discover(package(tmp_path, "with_a_gap", 1, 3))


def test_our_own_steps_each_say_one_sentence() -> None:
    assert STEPS
    assert all(step.what.endswith(".") for step in STEPS)
