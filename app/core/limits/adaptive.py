"""A limit on concurrent work that adapts to latency.

The gradient of Envoy's adaptive concurrency filter (and of Netflix' concurrency-limits): the limit shrinks as
work takes longer than it did almost alone, and grows by its square root, which is what may queue in the
backends.
"""

import math
from statistics import median

QUIET = 3
"""Up to this many at once barely slow each other down, so that their latency is the baseline."""

_LEAST = 16
"""The least limit, and the first: it keeps a loop and its backends busy, even where kinds share it."""
_TOLERANCE = 2.0
"""Latency up to this many times the baseline is no sign of a queue."""
_WINDOW, _WINDOW_S = 20, 0.1
_BASELINE_OF = 10
_BASELINE_S = 30.0
"""How long a baseline is good; then, if there is a queue, the limit is `QUIET` until there is a new one."""
_SMOOTHING = 0.05


class AdaptiveLimit:
    """A limit between `least` and `most`; where they are equal, it only measures."""

    def __init__(self, most: int, *, least: int = _LEAST) -> None:
        self._most = most
        self._least = min(least, most)
        self.value = max(self._least, min(_LEAST, most))
        self.mean_s = 0.01
        """The mean duration of the work, in seconds; a guess until some has ended."""
        self._baseline_s: float | None = None
        self._baseline_until = 0.0
        self._quiet: list[float] = []
        self._window: list[float] = []
        self._window_until = 0.0
        self._resume: int | None = None
        """The limit to go back to while the baseline is measured."""

    def observe(self, seconds: float, *, now: float, quiet: bool, crowded: bool, alone: bool = True) -> None:
        """Note that a piece of work took `seconds`.

        `quiet`: at most `QUIET` ran when it began; `crowded`: others wait for a slot; `alone`: no other kind
        of work waits, which would spoil a new baseline.
        """
        self.mean_s += _SMOOTHING * (seconds - self.mean_s)
        if quiet:
            self._quiet.append(seconds)
            if len(self._quiet) >= _BASELINE_OF:
                self._set_baseline(now)
        self._window.append(seconds)
        if len(self._window) >= _WINDOW and now >= self._window_until:
            sample = median(self._window)
            self._window.clear()
            self._window_until = now + _WINDOW_S
            if not alone:
                self._leave_quiet()
            if crowded and self._resume is None and self._least < self._most:
                self._adjust(sample, now, alone=alone)

    def _set_baseline(self, now: float) -> None:
        self._baseline_s = median(self._quiet)
        self._baseline_until = now + _BASELINE_S
        self._quiet.clear()
        self._leave_quiet()

    def _leave_quiet(self) -> None:
        if self._resume is not None:
            self.value, self._resume = self._resume, None

    def _adjust(self, sample_s: float, now: float, *, alone: bool) -> None:
        if alone and (self._baseline_s is None or now > self._baseline_until):
            self._quiet.clear()
            self._resume, self.value = self.value, min(QUIET, self.value)
            return
        if self._baseline_s is None:
            return
        gradient = max(0.5, min(1.0, _TOLERANCE * self._baseline_s / max(sample_s, 1e-6)))
        wanted = gradient * self.value + math.sqrt(self.value)
        self.value = max(self._least, min(self._most, int(wanted)))
