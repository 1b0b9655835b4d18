"""Count the schema from here on; data of the first releases stays as it is."""

from app.core.mongo import Database


async def migrate(_database: Database) -> None:
    """Do nothing: every release reads the data of the first ones."""
