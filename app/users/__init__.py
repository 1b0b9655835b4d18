"""Users: created, read, changed and deleted, one at a time or in batches."""

from app.users.batches import apply
from app.users.changes import delete, patch, replace
from app.users.records import Versions, create, read, record

__all__ = ["Versions", "apply", "create", "delete", "patch", "read", "record", "replace"]
