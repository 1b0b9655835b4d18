"""Write phone numbers as the library reads them: +49 0151… is +49 151…, unless two users would share it."""

from app.core.mongo import BSON, Database
from app.users import phone_numbers
from models.user import User


async def migrate(database: Database) -> None:
    """Use the write path, so that versions, search fields and trail follow; some 25 s for a million."""
    users = database[User.Settings.name].with_options(codec_options=BSON)
    await phone_numbers.renew_old(users)
