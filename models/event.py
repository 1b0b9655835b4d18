"""Events: what others may learn of, as it is published (`docs/events.md`) and as it is stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, get_args

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import IndexModel

from models import answers
from models.audit import Via
from models.job import JobKind
from models.listing import Filter
from models.stored import FOREVER_S, NamedDocument
from models.user import EXAMPLE_ID, UserOutput

CONTRACT: Final = 1
"""The version of what events look like: what is added does not raise it, what goes or changes does."""

EventType = Literal[
    "user.created",
    "user.changed",
    "user.deleted",
    "user.password_set",
    "user.signed_out",
    "group.created",
    "group.changed",
    "group.deleted",
    "session.ended",
    "job.ended",
    "webhook.paused",
]
TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
Payload = Literal["thin", "full"]

_Fields = Annotated[
    list[answers.Pointer],
    Field(
        max_length=200, description="What was changed, as JSON pointers (RFC 6901); empty after a deletion."
    ),
]
_By = Annotated[
    answers.Id | None,
    Field(description="Who did it: the id of a user, or the `subject` of a client; null: the command line."),
]


class UserEvent(BaseModel):
    """A change of one user."""

    user: answers.Id
    version: Annotated[
        answers.Version | None,
        Field(description="The user's version after the change; null where it makes no version."),
    ]
    fields: _Fields
    ends_sessions: Annotated[
        bool,
        Field(description="Whether sessions of the user ended with it: all, or all but the one that asked."),
    ]
    by: _By
    via: Via
    current: Annotated[
        UserOutput | None,
        Field(
            description="With the payload `full`: the user as they are when this is sent, perhaps later than "
            "`version`; null once they are deleted."
        ),
    ] = None


class GroupEvent(BaseModel):
    """A change of one group, or of its members."""

    group: answers.Id
    member: Annotated[
        answers.Id | None, Field(description="The user who joined or left, where that is the change.")
    ]
    version: Annotated[
        answers.Version | None,
        Field(description="The group's version after the change; null where members make none."),
    ]
    fields: _Fields
    by: _By
    via: Via


class SessionEvent(BaseModel):
    """The end of one session or token. Of what expires no event tells."""

    user: Annotated[answers.Id, Field(description="The user, or the `subject` of a client.")]
    session: Annotated[
        answers.GrantSid, Field(description="The `sid` of its tokens; grants within the session end with it.")
    ]
    reason: Literal["revoked", "displaced", "reused"]


class JobEvent(BaseModel):
    """The end of a job."""

    job: answers.Id
    kind: JobKind
    state: Literal["succeeded", "failed", "cancelled"]
    by: _By


class WebhookEvent(BaseModel):
    """A webhook was paused, since its receiver failed for too long or said that it is gone."""

    webhook: answers.Id
    reason: Literal["failing", "gone"]


class Declared(NamedTuple):
    data: type[BaseModel]
    when: str
    """A sentence for readers."""


DECLARED: Final[Mapping[EventType, Declared]] = {
    "user.created": Declared(UserEvent, "A user was created."),
    "user.changed": Declared(UserEvent, "Fields of a user were changed."),
    "user.deleted": Declared(UserEvent, "A user was deleted; all that is left is their id."),
    "user.password_set": Declared(UserEvent, "A user got another password."),
    "user.signed_out": Declared(UserEvent, "A user was signed out everywhere."),
    "group.created": Declared(GroupEvent, "A group was created."),
    "group.changed": Declared(GroupEvent, "A group, or who belongs to it, was changed."),
    "group.deleted": Declared(GroupEvent, "A group was deleted."),
    "session.ended": Declared(SessionEvent, "One session was ended before it expired."),
    "job.ended": Declared(JobEvent, "A job succeeded, failed or was cancelled."),
    "webhook.paused": Declared(WebhookEvent, "A webhook was paused."),
}

EXAMPLE_EVENT: Final[dict[str, Any]] = {
    "id": "evt_6b05f0a1e1b7a3d4c9f01236",
    "type": "user.changed",
    "timestamp": "2026-01-31T08:00:00.123000Z",
    "contract": CONTRACT,
    "data": {
        "user": EXAMPLE_ID,
        "version": 4,
        "fields": ["/profile/title"],
        "ends_sessions": False,
        "by": "6b05f0a1e1b7a3d4c9f01237",
        "via": "api",
    },
}

EventId = Annotated[
    str,
    Field(pattern="^evt_[0-9a-f]{24}$", max_length=28, description="The same each time it is delivered."),
]


class EventQuery(Filter):
    """Filters of events: their types, and those of the users they are about; a repeated one means any."""

    type: Annotated[
        tuple[EventType, ...], Field(max_length=len(TYPES), description="Events of these types; none: all.")
    ] = ()


class StoredEvent(Document):
    """An event at its place in the log, which its id is: places grow by one, in the order of commits."""

    id: int  # type: ignore[assignment]  # Beanie types the ids that it makes itself, and takes any
    event: str
    """Its public id: of one cause always the same."""
    type: EventType
    at: datetime
    """When it happened."""
    placed_at: datetime
    """When it got its place, by MongoDB's clock; it never falls."""
    user: PydanticObjectId | None
    version: int | None
    """The user's version after it; by these the events of a user are put in order."""
    data: dict[str, Any]
    """The thin payload. No value of anybody is in it."""

    class Settings:
        name = "events"
        # the last index expires what `indexes.retain` says
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("event", 1)], name="event", unique=True),
            IndexModel([("user", 1), ("version", -1)], name="user"),
            IndexModel(
                [("placed_at", 1)], name="placed_at", expireAfterSeconds=FOREVER_S
            ),  # `indexes.retain`
        ]


class StoredRelay(NamedDocument):
    """The one relay: how far it is, and which process has it."""

    position: int
    """The place of the last event."""
    token: dict[str, Any] | None
    """Where the change stream goes on; None: where it `began`."""
    began: Any
    """The operation time from which changes are events."""
    seen_at: datetime
    """Up to when changes were seen."""
    placed_at: datetime
    lease: str | None
    lease_until: datetime | None

    class Settings:
        name = "relay"
