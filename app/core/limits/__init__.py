"""How much is done at once: limits that find themselves, and fair queues before them."""

from app.core.limits.adaptive import AdaptiveLimit
from app.core.limits.limiter import CURRENT, Keys, Limiter, Turn
from app.core.limits.semaphore import CountedSemaphore, ExportSlots

__all__ = ["CURRENT", "AdaptiveLimit", "CountedSemaphore", "ExportSlots", "Keys", "Limiter", "Turn"]
