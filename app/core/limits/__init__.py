"""Limits on concurrent work, which adapt to latency, and the fair queues before them."""

from app.core.limits.adaptive import AdaptiveLimit
from app.core.limits.limiter import CURRENT, Group, Keys, Limiter, Turn
from app.core.limits.semaphore import CountedSemaphore, WritingThread

__all__ = [
    "CURRENT", "AdaptiveLimit", "CountedSemaphore", "Group", "Keys", "Limiter", "Turn", "WritingThread",
]  # fmt: skip
