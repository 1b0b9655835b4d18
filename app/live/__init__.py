"""Live: the log of events as a stream, for listeners who go on where they were."""

from app.live.live import Ended, Live, Reset, Step

__all__ = ["Ended", "Live", "Reset", "Step"]
