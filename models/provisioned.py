"""What provisioning clients made or were given: a link to each user and group, and what they said of it."""

from typing import Any, ClassVar, Literal

from beanie import Document, PydanticObjectId
from pymongo import IndexModel

from models.stored import StoredMoment

Kind = Literal["User", "Group"]


class StoredLink(Document):
    """A client's link to a user or group; only linked ones exist for the client."""

    client: str
    kind: Kind
    target: PydanticObjectId
    external_id: str | None
    """The client's own id of it (RFC 7643, section 3.1): compared exactly, unique for each client."""
    said: dict[str, Any]
    """The resource as the client wrote it last, but for its password and what only the server sets."""
    revision: int
    """Raised when only this has changed, as the user's version then stays."""
    changed_at: StoredMoment

    class Settings:
        name = "provisioned"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("client", 1), ("kind", 1), ("target", 1)], name="client_target", unique=True),
            IndexModel(
                [("client", 1), ("kind", 1), ("external_id", 1)],
                name="external_id",
                unique=True,
                partialFilterExpression={"external_id": {"$type": "string"}},
            ),
            IndexModel([("target", 1)], name="target"),
        ]
