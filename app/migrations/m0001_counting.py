"""Count the schema from here on: what the first releases stored stays as it is."""

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase


async def migrate(_database: AsyncDatabase[dict[str, Any]]) -> None:
    """Nothing: every release reads what the first ones stored."""
