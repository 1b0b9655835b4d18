"""Store of users that nobody has verified their e-mail, and let the filter find them by it."""

from app.core.mongo import BSON, Database
from app.users.renewal import renew_derived
from models.user import User


async def migrate(database: Database) -> None:
    """Read all users, and write those who lack it: nobody typed a code that was mailed to them so far."""
    users = database[User.Settings.name].with_options(codec_options=BSON)
    await renew_derived(users, "facets")
