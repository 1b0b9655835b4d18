"""Users: created, read, changed and deleted, singly or in batches."""

from app.users.authority import Authority
from app.users.batches import apply, is_complete
from app.users.changes import delete, patch, replace
from app.users.user_records import AllowedVersions, create, insert, read, record

__all__ = [
    "AllowedVersions",
    "Authority",
    "apply",
    "create",
    "delete",
    "insert",
    "is_complete",
    "patch",
    "read",
    "record",
    "replace",
]
