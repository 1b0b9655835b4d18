"""Users: created, read, changed and deleted, one at a time or in batches."""

from app.users.authority import Authority
from app.users.batches import is_complete
from app.users.user_records import AllowedVersions, record
from app.users.users import Users

__all__ = ["AllowedVersions", "Authority", "Users", "is_complete", "record"]
