"""How much of everything a run measures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    users: int = 100_000
    many: int = 1_000_000
    """Users where the promise is about depth or memory."""
    page_rounds: int = 7
    """Short ones: what else the machine does then hits both sides of some rounds, not one side of all."""
    page_seconds: float = 2.0
    rounds: int = 3
    """Of what takes long: downloads, and the bystander's p99."""
    bystander_seconds: float = 10.0
    sign_in_seconds: float = 3.0
    searched: int = 200_000
    """Users among whom search is judged."""
    searched_most: int | None = 1_000_000
    """Users among whom it is timed again."""

    imported: int = 100_000
    """Rows of a file that is imported."""
    import_rounds: int = 2


FULL = Sizes()
QUICK = Sizes(
    users=20_000,
    many=100_000,
    page_rounds=5,
    page_seconds=1.0,
    bystander_seconds=4.0,
    sign_in_seconds=2.0,
    searched=20_000,
    searched_most=None,
    imported=10_000,
)
