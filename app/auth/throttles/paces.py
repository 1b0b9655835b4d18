"""Paces: how long failures make the next try wait."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.throttle import Counts

_MOST_DOUBLINGS = 10
"""More than any longest wait needs, and small enough to compute fast."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`free` failures cost nothing; each further one doubles the wait from 1 s up to `longest_s`."""

    free: int
    longest_s: int
    memory_s: int
    """Seconds after the last failure until all are forgotten."""

    def wait_ms(self, failures: str | None, left_ms: int) -> int:
        """Milliseconds to wait; none if not positive.

        `left_ms` is the counter's remaining lifetime, negative if it has ended since `failures` was read.
        """
        beyond = int(failures or 0) - self.free
        if beyond <= 0:
            return 0
        wait_s = min(1 << min(beyond - 1, _MOST_DOUBLINGS), self.longest_s)
        return (wait_s - self.memory_s) * 1000 + left_ms


@dataclass(frozen=True, slots=True)
class CounterState:
    """The state of a counter, as administrators see it."""

    counts: Counts
    failures: int
    failed_at: datetime
    waits_until: datetime | None
    """None if the next try need not wait."""
    forgotten_at: datetime


def counter_state(counts: Counts, pace: Pace, failures: str | None, left_ms: int) -> CounterState | None:
    """The state; None for a counter that has ended or is zero."""
    if left_ms <= 0 or int(failures or 0) == 0:
        return None
    now = datetime.now(UTC)
    forgotten_at = now + timedelta(milliseconds=left_ms)
    wait_ms = pace.wait_ms(failures, left_ms)
    return CounterState(
        counts=counts,
        failures=int(failures or 0),
        failed_at=forgotten_at - timedelta(seconds=pace.memory_s),
        waits_until=now + timedelta(milliseconds=wait_ms) if wait_ms > 0 else None,
        forgotten_at=forgotten_at,
    )
