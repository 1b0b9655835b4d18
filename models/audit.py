"""The audit trail, as administrators read it."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import IndexModel

from models import answers
from models.job import PageQuery
from models.query_values import WHEN, From, To
from models.stored import FOREVER_S
from models.user import EXAMPLE_ID

Action = Literal["created", "changed", "deleted", "password_set", "signed_out", "mail_failed"]
MOST_DIFFERENCES = 200
"""More than the values of a user: 14 fields, 50 tags, 5 scopes, 6 parts of each of 10 addresses."""
Via = Literal["api", "batch", "import", "bulk", "registration", "command_line", "migration", "mail", "scim"]

_ID = "^[0-9a-fA-F]{24}$"
EXAMPLE_ENTRY: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01236",
    "at": "2026-01-31T08:00:00.123000Z",
    "user": EXAMPLE_ID,
    "action": "changed",
    "by": "6b05f0a1e1b7a3d4c9f01237",
    "client": "roster",
    "via": "api",
    "import_id": None,
    "request_id": "8c2f61d09b3e47a5",
    "version": 4,
    "differences": [{"pointer": "/profile/title", "from": "Engineer", "to": "Head of Engineering"}],
    "forgotten": False,
}


class Change(BaseModel):
    """One changed field; secrets have no values, and so have all fields of deleted users."""

    model_config = ConfigDict(populate_by_name=True)

    pointer: Annotated[answers.Pointer, Field(description="JSON pointer (RFC 6901) into the user.")]
    before: Annotated[Any, Field(alias="from", description="What it was.")]
    to: Annotated[Any, Field(description="What it became.")]


class AuditEntry(BaseModel):
    model_config = answers.shown(EXAMPLE_ENTRY)

    id: answers.Id
    at: answers.Moment
    user: Annotated[answers.Id, Field(description="The changed user; perhaps deleted since.")]
    action: Annotated[
        Action, Field(description="`signed_out`: everywhere; `mail_failed`: a mail was refused.")
    ]
    by: Annotated[
        answers.Id | None,
        Field(
            description="Id of the user who did it, or the `subject` of a client that acts as itself; "
            "null for the command line."
        ),
    ]
    client: Annotated[answers.ClientId | None, Field(description="The OAuth client of their token.")]
    via: Via
    import_id: Annotated[answers.Id | None, Field(description="The import or bulk change that did it.")]
    request_id: Annotated[
        answers.RequestId | None, Field(description="X-Request-ID of the request that did it.")
    ]
    version: Annotated[
        answers.Version | None,
        Field(description="The user's version after the change; null after a deletion."),
    ]
    differences: Annotated[list[Change], Field(max_length=MOST_DIFFERENCES)]
    forgotten: Annotated[
        bool, Field(description="Whether the values were removed because the user was deleted.")
    ]


class AuditPage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_ENTRY], "next": None})

    items: Annotated[list[AuditEntry], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]


class AuditQuery(PageQuery):
    """Filters of the trail, which must all hold; a repeated action means any of its values."""

    user: Annotated[str | None, Field(pattern=_ID, description="Changes of this user.")] = None
    by: Annotated[
        str | None, Field(pattern=_ID, description="Changes by this user or client (its `subject`).")
    ] = None
    action: Annotated[tuple[Action, ...], Field(max_length=6, description="What was done.")] = ()
    since: Annotated[
        From | None, Field(alias="from", description=f"Changes at that time or later: {WHEN}.")
    ] = None
    until: Annotated[
        To | None, Field(alias="to", description=f"Changes at that time or earlier: {WHEN}.")
    ] = None


class StoredEntry(Document):
    """One change of a user as stored, in the transaction that makes it."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    at: datetime
    user: PydanticObjectId
    action: Action
    by: PydanticObjectId | None
    client: str | None
    via: Via
    import_id: PydanticObjectId | None = Field(alias="import")
    request: str | None
    version: int | None
    differences: list[dict[str, Any]]
    """`{pointer, from, to}` each."""
    forgotten: bool = False

    class Settings:
        name = "audit"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("user", 1), ("_id", 1)], name="user"),
            IndexModel([("by", 1), ("_id", 1)], name="by"),
            IndexModel([("action", 1), ("_id", 1)], name="action"),
            IndexModel([("at", 1)], name="at", expireAfterSeconds=FOREVER_S),  # `indexes.retain` sets it
        ]
