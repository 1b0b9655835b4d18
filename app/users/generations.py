"""Generations of a user's sessions: whatever ends all of them raises the number."""

from collections.abc import Mapping
from typing import Any


def generation_of(user: Mapping[str, Any]) -> int:
    """Of a user as stored; 0 where there is none, or something that is no generation."""
    credentials = user.get("credentials")
    generation = credentials.get("generation") if isinstance(credentials, Mapping) else None
    return generation if isinstance(generation, int) else 0


class Ending:
    """What a write that ends all sessions tells: the generation that MongoDB now has, once it has one."""

    generation: int | None = None
