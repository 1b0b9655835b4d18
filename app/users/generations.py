"""Generations of a user's sessions: ending all sessions raises the number."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any


def generation_of(user: Mapping[str, Any]) -> int:
    """The generation of a stored user; 0 where there is none."""
    credentials = user.get("credentials")
    generation = credentials.get("generation") if isinstance(credentials, Mapping) else None
    return generation if isinstance(generation, int) else 0


class Ending:
    """Filled in by a write that ends all sessions: the new generation, once MongoDB has it."""

    generation: int | None = None


End = Callable[[str], AbstractAsyncContextManager[Ending]]
"""Around a write that ends all sessions of the user with this id (`Sessions.ending`)."""
EndAll = Callable[[Sequence[str]], AbstractAsyncContextManager[Mapping[str, Ending]]]
"""The same for several users (`Sessions.ending_all`)."""
