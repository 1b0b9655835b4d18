"""Let filters find again what was stored with blanks around it that nobody sees (a zero-width space, say).

The example for a field whose stored form changes: it names what is made anew.
"""

from app.core.mongo import BSON, Database
from app.users.renewal import renew_derived
from models.user import User


async def migrate(database: Database) -> None:
    """Read all users, and write those whose keys or facets differ."""
    users = database[User.Settings.name].with_options(codec_options=BSON)
    await renew_derived(users, "keys", "facets")
