"""How a receiver does: one that fails is asked less often, so that no storm meets it when it comes back."""

import time

_AT_ONCE = 16
_FAILURES = 5
"""After so many in a row one delivery is tried at a time, with pauses between."""
_DOUBLINGS = 6
_LONGEST_PAUSE_S = 60.0


class Health:
    def __init__(self) -> None:
        self._failures = 0
        self._quiet_until = 0.0

    @property
    def at_once(self) -> int:
        """Deliveries that may be under way."""
        return _AT_ONCE if self._failures < _FAILURES else 1

    @property
    def quiet_s(self) -> float:
        """Seconds for which nothing is sent."""
        return max(0.0, self._quiet_until - time.monotonic())

    def succeed(self) -> None:
        self._failures, self._quiet_until = 0, 0.0

    def fail(self, retry_after_s: float) -> None:
        """`retry_after_s` is what the receiver asked for."""
        if not self.quiet_s:  # what was begun before the last failure counts with it
            self._failures += 1
        beyond = self._failures - _FAILURES
        backing_off_s = min(2.0 ** min(beyond, _DOUBLINGS), _LONGEST_PAUSE_S) if beyond >= 0 else 0.0
        pause_s = retry_after_s if self.quiet_s else max(retry_after_s, backing_off_s)
        self._quiet_until = max(self._quiet_until, time.monotonic() + pause_s)

    def give_up(self) -> None:
        """Nothing is sent any more."""
        self._quiet_until = float("inf")
