"""Jobs, as their owners and administrators see them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import IndexModel

from models import answers
from models.problem import Problem
from models.query_values import Whole
from models.stored import GONE_WHEN_DUE
from models.user import EXAMPLE_ID

JobKind = Literal[
    "import_plan", "import_apply", "bulk_plan", "bulk_apply", "export", "logout_notice", "activations"
]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]

ENDED: Final[frozenset[JobState]] = frozenset({"succeeded", "failed", "cancelled"})
"""Final states."""

MAKER: Final = "Id of a user, or the `subject` of a client that acts as itself; null for the command line's."

EXAMPLE_JOB: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01234",
    "kind": "export",
    "state": "running",
    "progress": {"done": 1250, "total": None},
    "created_at": "2026-01-31T08:00:00.123000Z",
    "started_at": "2026-01-31T08:00:00.130000Z",
    "ended_at": None,
    "expires_at": None,
    "created_by": EXAMPLE_ID,
    "attempts": 1,
    "error": None,
    "result": "/users/exports/6b05f0a1e1b7a3d4c9f01235",
}


class JobProgress(BaseModel):
    done: Annotated[answers.Count, Field(description="Rows done so far.")]
    total: Annotated[answers.Count | None, Field(description="Rows in total; null while unknown.")]


class JobOutput(BaseModel):
    model_config = answers.shown(EXAMPLE_JOB)

    id: answers.Id
    kind: JobKind
    state: Annotated[JobState, Field(description="The last three are final.")]
    progress: JobProgress
    created_at: answers.Moment
    started_at: Annotated[answers.Moment | None, Field(description="When a worker first took it.")]
    ended_at: answers.Moment | None
    expires_at: Annotated[answers.Moment | None, Field(description="When it is deleted; null until it ends.")]
    created_by: Annotated[answers.Id | None, Field(description=MAKER)]
    attempts: Annotated[answers.Count, Field(description="How often a worker took it.")]
    error: Annotated[Problem | None, Field(description="Why it failed.")]
    result: Annotated[answers.Path | None, Field(description="Path of its result.")]


class JobPage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_JOB], "next": None})

    items: Annotated[list[JobOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]


class PageQuery(BaseModel):
    """Paging through a list, the newest first."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100, description="Items a page."), Whole] = 50
    cursor: Annotated[
        str | None,
        Field(
            max_length=4096,
            json_schema_extra={"pattern": answers.CURSOR},
            description="`next` of an earlier page.",
        ),
    ] = None


class JobQuery(PageQuery):
    """A repeated filter means any of its values."""

    state: Annotated[list[JobState], Field(max_length=5, description="Jobs in one of these states.")] = []
    kind: Annotated[list[JobKind], Field(max_length=7, description="Jobs of one of these kinds.")] = []


class Job(Document):
    """A job as stored. Leases, delays and ends are reckoned by MongoDB's clock, which all workers share."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    kind: JobKind
    subject: str
    """What the job is about: an id, which its handler understands."""
    result: str | None
    by: str | None
    state: JobState = "queued"
    key: str | None = None
    """Of a key there is one job; missing where there is none."""
    done: int = 0
    total: int | None = None
    revision: int = 0
    """Counts the changes that listeners are told of."""
    attempts: int = 0
    failures: int = 0
    """How often it went back to the queue because a backend was unavailable."""
    request_id: str
    """Of the request that asked for it, also in the log lines of its runs."""
    notify: bool = False
    """Whether a mail tells who asked for it that it has ended."""
    recipients: list[str] = Field(default_factory=list)
    """Users whom a mail tells that it has succeeded."""
    cancel_asked: bool = False
    error: dict[str, Any] | None = None
    """`{status, code, title, detail, errors}` of the error that ended it."""
    not_before: datetime
    sent_at: datetime | None
    lease: str | None = None
    lease_until: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    class Settings:
        name = "jobs"
        indexes: ClassVar[list[IndexModel]] = [
            GONE_WHEN_DUE,
            IndexModel([("state", 1), ("_id", 1)], name="state"),
            IndexModel([("by", 1), ("_id", -1)], name="by"),
            IndexModel(
                [("key", 1)], name="key", unique=True, partialFilterExpression={"key": {"$type": "string"}}
            ),
        ]
