"""The tutorial's way to search: a regular expression that ignores case, over each field in turn."""

import re
import time
from typing import Any

from pymongo import ASCENDING
from pymongo.collection import Collection

FIELDS = (
    *("name", "username", "email", "phone", "tags"),
    *("profile.title", "profile.department", "profile.addresses.city"),
)


def matching(q: str) -> dict[str, Any]:
    """Escaped: what a caller types must not be an expression."""
    return {"$or": [{field: {"$regex": re.escape(q), "$options": "i"}} for field in FIELDS]}


def ask(users: Collection[dict[str, Any]], q: str, limit: int) -> float:
    """Milliseconds, with nothing but the driver between MongoDB and us."""
    started = time.perf_counter()
    list(users.find(matching(q)).sort("name", ASCENDING).limit(limit))
    return (time.perf_counter() - started) * 1000
