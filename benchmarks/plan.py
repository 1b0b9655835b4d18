"""How much of everything a run measures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    users: int = 100_000
    many: int = 1_000_000
    """Users where the promise is about depth or memory."""
    rounds: int = 3
    seconds: float = 5.0
    """Of load, each time."""


FULL = Sizes()
QUICK = Sizes(users=20_000, many=100_000, seconds=2.0)
