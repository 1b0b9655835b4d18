"""The migrations that this release knows, in order."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from app.core.mongo import Database

_MODULE = re.compile(r"m([0-9]{4})_[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Step:
    version: int
    """The version of the schema after it."""
    what: str
    """A sentence for operators."""
    migrate: Callable[[Database], Awaitable[None]]


def discover(package: str = "app.migrations") -> tuple[Step, ...]:
    """One step for each module of the package, numbered from 1 without a gap."""
    folder = Path(str(import_module(package).__file__)).parent
    names = sorted(path.stem for path in folder.glob("m*.py") if _MODULE.fullmatch(path.stem))
    steps = tuple(_step(package, name) for name in names)
    if [step.version for step in steps] != list(range(1, len(steps) + 1)):
        msg = f"The migrations are not numbered from 1 without a gap: {', '.join(names)}."
        raise ValueError(msg)
    return steps


def _step(package: str, name: str) -> Step:
    module = import_module(f"{package}.{name}")
    what = str(module.__doc__).strip().partition("\n")[0]
    return Step(int(name[1:5]), what, module.migrate)


STEPS: Sequence[Step] = discover()
