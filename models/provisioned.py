"""What provisioning clients made or were given, what they said of it, and what they asked lately."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import DESCENDING, IndexModel

from models import answers
from models.stored import GONE_WHEN_DUE, NamedDocument, StoredMoment
from models.user import EXAMPLE_ID
from models.values import PLAIN

Kind = Literal["User", "Group"]
Outcome = Literal["succeeded", "refused", "throttled", "failed"]
MOST_REQUESTS: Final = 200
KEPT_DAYS: Final = 90
_EXAMPLE_LINK: Final[dict[str, Any]] = {
    "user": EXAMPLE_ID,
    "external_id": "00ub0oNGTSWTBKOLGLNR",
    "changed_at": "2026-01-31T08:00:00.123000Z",
}
_EXAMPLE_REQUEST: Final[dict[str, Any]] = {
    "at": "2026-01-31T08:00:00.123000Z",
    "method": "POST",
    "path": "/Users",
    "status": 409,
    "scim_type": "uniqueness",
    "detail": "Another resource has this externalId.",
}
_EXAMPLE_DAY: Final[dict[str, Any]] = {
    "day": "2026-01-31",
    "succeeded": 812,
    "refused": 3,
    "throttled": 0,
    "failed": 0,
}


class LinkOutput(BaseModel):
    """A user that exists for the client."""

    user: answers.Id
    external_id: Annotated[
        str | None, Field(pattern=PLAIN, max_length=1_000, description="The client's own id of them.")
    ]
    changed_at: Annotated[
        answers.Moment, Field(description="When the client last said something new of them, or got them.")
    ]


class LinkPage(BaseModel):
    model_config = answers.shown({"items": [_EXAMPLE_LINK], "next": None})

    items: Annotated[list[LinkOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]


class ProvisioningRequest(BaseModel):
    """A request by SCIM, without what it sent."""

    at: answers.Moment
    method: Annotated[str, Field(pattern="^[A-Z]+$", max_length=16)]
    path: Annotated[str, Field(pattern=PLAIN, max_length=200, description="Below `/scim/v2`, unqueried.")]
    status: answers.Status
    scim_type: Annotated[str | None, Field(pattern="^[A-Za-z]+$", max_length=64)]
    detail: Annotated[answers.Sentence | None, Field(description="Why it failed, as the client was told.")]


class ProvisioningDay(BaseModel):
    """How many requests of a day (UTC) were answered, refused (4xx), told to wait (429), or failed (5xx)."""

    day: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10)]
    succeeded: answers.Count
    refused: answers.Count
    throttled: answers.Count
    failed: answers.Count


class ProvisioningActivity(BaseModel):
    model_config = answers.shown(
        {"requests": [_EXAMPLE_REQUEST], "failures": [_EXAMPLE_REQUEST], "days": [_EXAMPLE_DAY]}
    )

    requests: Annotated[
        list[ProvisioningRequest], Field(max_length=MOST_REQUESTS, description="The newest first.")
    ]
    failures: Annotated[
        list[ProvisioningRequest],
        Field(max_length=MOST_REQUESTS, description="Those that were refused or failed, but for 429."),
    ]
    days: Annotated[list[ProvisioningDay], Field(max_length=KEPT_DAYS, description="The latest first.")]


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


class StoredActivity(NamedDocument):
    """The last requests of a client, by its `subject`."""

    requests: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    expires_at: datetime

    class Settings:
        name = "provisioning_requests"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE]


class StoredActivityDay(NamedDocument):
    """How a client's requests of a day went, as `subject:day`."""

    client: str
    day: str
    succeeded: int = 0
    refused: int = 0
    throttled: int = 0
    failed: int = 0
    expires_at: datetime

    class Settings:
        name = "provisioning_days"
        indexes: ClassVar[list[IndexModel]] = [
            GONE_WHEN_DUE,
            IndexModel([("client", 1), ("day", DESCENDING)], name="client"),
        ]
