"""A clock that a test sets."""


class Clock:
    """Callable as `time.time` and `time.monotonic` are."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
