"""Mails: what they are for, as administrators see them, and as they are stored."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import IndexModel

from models import answers
from models.job import PageQuery
from models.stored import GONE_WHEN_DUE
from models.user import EXAMPLE_ID

Purpose = Literal["verify_email", "reset_password", "activate", "change_email", "take_back_email"]
"""What the link or code of a mail allows."""
MailKind = Literal[
    "verify_email",
    "reset_password",
    "activate",
    "change_email",
    "email_changed",
    "email_replaced",
    "password_changed",
    "registered_again",
    "invitation",
    "new_device",
    "sessions_ended",
    "export_done",
    "export_shared",
    "import_done",
    "bulk_done",
]
MailState = Literal["waiting", "sent", "failed"]

EXAMPLE_MAIL: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01239",
    "kind": "reset_password",
    "state": "waiting",
    "to": "zoe@example.com",
    "user": EXAMPLE_ID,
    "language": "en",
    "message_id": "<6b05f0a1e1b7a3d4c9f01239@users.example.com>",
    "tries": 1,
    "reason": "451 4.7.1 Greylisted, try again later",
    "created_at": "2026-01-31T08:00:00.123000Z",
    "due_at": "2026-01-31T08:00:16.500000Z",
    "sent_at": None,
}

Reason = Annotated[str, Field(pattern="^[^\\x00-\\x1f]*$", max_length=200)]


class MailOutput(BaseModel):
    """A mail, without what it says."""

    model_config = answers.shown(EXAMPLE_MAIL)

    id: answers.Id
    kind: MailKind
    state: Annotated[MailState, Field(description="`failed` is tried again only when you ask for it.")]
    to: answers.Email
    user: Annotated[answers.Id | None, Field(description="The user whom it is about.")]
    language: Annotated[str, Field(pattern="^[a-z]{2}$", max_length=2)]
    message_id: Annotated[
        str, Field(pattern="^<[^<>\\s]+>$", max_length=300, description="The same in each copy that is sent.")
    ]
    tries: Annotated[answers.Count, Field(description="How often it was given to the mail server.")]
    reason: Annotated[
        Reason | None, Field(description="Why the last try failed; addresses and secrets are left out.")
    ]
    created_at: answers.Moment
    due_at: Annotated[answers.Moment | None, Field(description="When it is tried next; null unless waiting.")]
    sent_at: Annotated[answers.Moment | None, Field(description="When the mail server took it.")]


class MailPage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_MAIL], "next": None})

    items: Annotated[list[MailOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]


class MailQuery(PageQuery):
    """A repeated filter means any of its values."""

    state: Annotated[
        tuple[MailState, ...], Field(max_length=3, description="Mails in one of these states.")
    ] = ()
    kind: Annotated[
        tuple[MailKind, ...], Field(max_length=12, description="Mails of one of these kinds.")
    ] = ()
    user: Annotated[str | None, Field(pattern="^[0-9a-fA-F]{24}$", description="Mails about this user.")] = (
        None
    )


class StoredMail(Document):
    """A mail as stored. When it is due is reckoned by MongoDB's clock, which all workers share."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    kind: MailKind
    state: MailState = "waiting"
    to: str
    user: PydanticObjectId | None
    language: Literal["en", "zh"]
    sealed: bytes | None
    """What it says; None once it is sent, or is of no use any more."""
    message_id: str
    tries: int = 0
    reason: str | None = None
    due_at: datetime
    """When it may be taken; while a worker has it, the end of that worker's lease."""
    lease: str | None = None
    good_until: datetime
    """It is not sent later."""
    request_id: str
    created_at: datetime
    sent_at: datetime | None = None
    expires_at: datetime

    class Settings:
        name = "mails"
        indexes: ClassVar[list[IndexModel]] = [
            GONE_WHEN_DUE,
            IndexModel([("due_at", 1)], name="due", partialFilterExpression={"state": "waiting"}),
            IndexModel(
                [("good_until", 1)],
                name="good_until",
                partialFilterExpression={"sealed": {"$type": "binData"}},
            ),
            IndexModel([("state", 1), ("_id", -1)], name="state"),
            IndexModel([("user", 1), ("_id", -1)], name="user"),
        ]
