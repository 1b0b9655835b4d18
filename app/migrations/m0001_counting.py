"""Count the schema from here on: what the first releases stored stays as it is."""

from app.core.mongo import Database


async def migrate(_database: Database) -> None:
    """Nothing: every release reads what the first ones stored."""
