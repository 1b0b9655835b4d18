"""Schedules of exports: when, where their files go, and who is told."""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import IndexModel

from models import answers, texts
from models.export_job import EXAMPLE_BODY, ExportBody
from models.user import EXAMPLE_ID
from models.values import Activity, Text, not_blank

EXAMPLE_SCHEDULE: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01236",
    "name": "Engineers, every Monday",
    "cron": "30 6 * * MON",
    "timezone": "Europe/Berlin",
    "export": EXAMPLE_BODY,
    "destination": "s3://reports/people/engineers-{date}.xlsx",
    "recipients": [EXAMPLE_ID],
    "is_active": True,
    "created_at": "2026-01-31T08:00:00.123000Z",
    "created_by": EXAMPLE_ID,
    "next_run_at": "2026-02-09T05:30:00Z",
    "last_run_at": "2026-02-02T05:30:00Z",
    "last_skipped_at": None,
    "last_job": "6b05f0a1e1b7a3d4c9f01234",
    "last_export": "6b05f0a1e1b7a3d4c9f01235",
}

Name = Annotated[str, Text(100, not_blank, texts.line, minLength=1)]
Cron = Annotated[
    str,
    Text(100, texts.line),
    Field(
        description="A cron expression: minute, hour, day of month, month, day of week.",
        examples=["30 6 * * MON"],
    ),
]
Timezone = Annotated[
    str,
    Text(64, texts.line),
    Field(
        description="The time zone of the cron expression.",
        examples=["Europe/Berlin"],
    ),
]


PLACEHOLDER: Final = re.compile(r"\{(date|time)\}")


def _names_an_object(pattern: str) -> str:
    """ValueError unless it is a bucket and the key of an object, with placeholders that there are."""
    if not _OBJECT.fullmatch(PLACEHOLDER.sub("-", pattern)):
        msg = (
            "must be a bucket and a name in it, such as s3://reports/people-{date}.xlsx; {date} and {time} "
            "are filled in"
        )
        raise ValueError(msg)
    return pattern


_OBJECT: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.{1,2}(/|$))[^/{}\\%?#]+)+")
"""Without characters that would mean something else, were it decoded on its way."""
Destination = Annotated[
    str,
    Text(250, texts.line, _names_an_object, pattern="^s3://[a-z0-9.-]{3,63}(/[^/%?#]+)+$"),
    Field(
        description="Where a copy of each file is left: an object below one of `ROSTER_EXPORT_BUCKETS`. "
        "`{date}` and `{time}` are those of the run; an object of the same name is replaced.",
        examples=["s3://reports/people/engineers-{date}.xlsx"],
    ),
]
Recipients = Annotated[
    list[Annotated[str, Field(pattern="^[0-9a-f]{24}$")]],
    Field(
        max_length=20,
        description="Ids of users with `users:export` whom a mail tells of each file: its link asks them to "
        "sign in, and leads to the file.",
    ),
]


class ScheduleInput(BaseModel):
    model_config = answers.shown(
        {name: EXAMPLE_SCHEDULE[name] for name in ("name", "cron", "timezone", "export")}, extra="forbid"
    )

    name: Name
    cron: Cron
    timezone: Timezone = "UTC"
    export: ExportBody
    destination: Destination | None = None
    recipients: Recipients = []
    is_active: Activity = True


class SchedulePatch(BaseModel):
    """Changes of a schedule; omitted members stay."""

    model_config = answers.shown({"is_active": False}, extra="forbid")

    name: Name = Field(default_factory=str)  # never used; unlike None, not part of the schema
    cron: Cron = Field(default_factory=str)
    timezone: Timezone = Field(default_factory=str)
    export: ExportBody = Field(default_factory=lambda: ExportBody(format="csv"))
    destination: Destination | None = None
    recipients: Recipients = []
    is_active: Activity = Field(default_factory=bool)


class ScheduleOutput(BaseModel):
    model_config = answers.shown(EXAMPLE_SCHEDULE)

    id: answers.Id
    name: answers.Line
    cron: answers.Line
    timezone: answers.Line
    export: Annotated[dict[str, Any], Field(description="The export, as it was sent.")]
    destination: Annotated[answers.Line | None, Field(description="As it was sent.")]
    recipients: Annotated[list[answers.Id], Field(max_length=20)]
    is_active: bool
    created_at: answers.Moment
    created_by: answers.Id
    next_run_at: Annotated[answers.Moment | None, Field(description="Null while it is not active.")]
    last_run_at: Annotated[answers.Moment | None, Field(description="The scheduled time of its last run.")]
    last_skipped_at: Annotated[
        answers.Moment | None,
        Field(description="The last scheduled time that it skipped, as the previous run was still running."),
    ]
    last_job: Annotated[answers.Id | None, Field(description="Id of the last run's job.")]
    last_export: Annotated[answers.Id | None, Field(description="Id of the last run's export.")]


class SchedulePage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_SCHEDULE], "next": None})

    items: Annotated[list[ScheduleOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the page after; null at the end.")]


class StoredSchedule(Document):
    """A schedule as stored."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    by: str
    name: str
    cron: str
    timezone: str
    is_active: bool
    export: dict[str, Any]
    destination: str | None = None
    recipients: list[str] = Field(default_factory=list)
    created_at: datetime
    next_run_at: datetime | None
    last_run_at: datetime | None = None
    last_skipped_at: datetime | None = None
    last_job: str | None = None
    last_export: str | None = None

    class Settings:
        name = "schedules"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("is_active", 1), ("next_run_at", 1)], name="due"),
            IndexModel([("by", 1), ("_id", -1)], name="by"),
        ]
