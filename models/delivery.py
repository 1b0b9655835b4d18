"""Deliveries of events to webhooks: their log as it is answered, and as it is stored."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import IndexModel

from models import answers
from models.event import EXAMPLE_EVENT, EventId
from models.job import PageQuery
from models.stored import GONE_WHEN_DUE

DeliveryState = Literal["waiting", "delivered", "failed"]
Failure = Literal[
    "refused_address", "not_found", "timeout", "tls", "no_connection", "no_http", "status", "expired"
]
EXAMPLE_DELIVERY: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f0123b",
    "event": EXAMPLE_EVENT["id"],
    "type": "user.changed",
    "state": "waiting",
    "tries": 1,
    "status": 503,
    "failure": "status",
    "took_ms": 41,
    "tried_at": "2026-01-31T08:00:00.200000Z",
    "due_at": "2026-01-31T08:00:05.300000Z",
    "created_at": "2026-01-31T08:00:00.130000Z",
}


class DeliveryOutput(BaseModel):
    """What became of one event at one webhook."""

    model_config = answers.shown(EXAMPLE_DELIVERY)

    id: answers.Id
    event: Annotated[EventId, Field(description="The `webhook-id` of each try.")]
    type: Annotated[str, Field(pattern="^[a-z_.]+$", max_length=64)]
    state: Annotated[
        DeliveryState, Field(description="`failed` for good; `waiting` also for earlier ones of the user.")
    ]
    tries: answers.Count
    status: Annotated[int | None, Field(ge=100, le=999, description="Of the last reply.")]
    failure: Annotated[Failure | None, Field(description="Why the last try failed.")]
    took_ms: Annotated[answers.Count | None, Field(description="How long the last try took.")]
    tried_at: answers.Moment | None
    due_at: Annotated[answers.Moment | None, Field(description="When it is tried next; null unless waiting.")]
    created_at: answers.Moment


class DeliveryPage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_DELIVERY], "next": None})

    items: Annotated[list[DeliveryOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]


class DeliveryQuery(PageQuery):
    state: Annotated[
        tuple[DeliveryState, ...], Field(max_length=3, description="Deliveries in one of these states.")
    ] = ()


class WebhookRedelivery(BaseModel):
    """What to deliver once more: exactly one of these."""

    model_config = answers.shown({"failed": True}, extra="forbid")

    delivery: Annotated[
        str | None, Field(pattern="^[0-9a-f]{24}$", description="The id of one delivery.")
    ] = None
    since: Annotated[
        Annotated[datetime, Field(json_schema_extra={"maxLength": 40})] | None,
        Field(description="All that were first due at that time or later."),
    ] = None
    failed: Annotated[Literal[True] | None, Field(description="All that failed for good.")] = None


class WebhookRedelivered(BaseModel):
    model_config = answers.shown({"deliveries": 12})

    deliveries: Annotated[answers.Count, Field(description="How many are delivered once more.")]


class StoredDelivery(Document):
    """One event for one webhook: it waits, was delivered or failed. What it says is in the log of events."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    webhook: PydanticObjectId
    position: int
    event: str
    type: str
    key: str
    """What it must stay in order of: a user, a group, a job."""
    state: DeliveryState = "waiting"
    tries: int = 0
    status: int | None = None
    failure: Failure | None = None
    took_ms: int | None = None
    tried_at: datetime | None = None
    first_at: datetime | None = None
    due_at: datetime
    created_at: datetime
    expires_at: datetime

    class Settings:
        name = "deliveries"
        indexes: ClassVar[list[IndexModel]] = [
            GONE_WHEN_DUE,
            IndexModel([("webhook", 1), ("event", 1)], name="event", unique=True),
            IndexModel([("webhook", 1), ("state", 1), ("_id", -1)], name="log"),
            IndexModel(
                [("webhook", 1), ("position", 1)],
                name="waiting",
                partialFilterExpression={"state": "waiting"},
            ),
        ]
