"""Give clients a subject, grant types and the rest that they are registered with from here on."""

from app.clients.client import older
from app.core.mongo import Database


async def migrate(database: Database) -> None:
    """Add what is missing, which readers would assume anyway; a few reads and writes a client."""
    clients = database["clients"]
    async for document in clients.find({"subject": {"$exists": False}}):
        unchanged = {"_id": document["_id"], "subject": {"$exists": False}}
        await clients.update_one(unchanged, {"$set": older(document)})
