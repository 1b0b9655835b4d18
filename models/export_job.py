"""Exports that jobs make, and their schedules."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import IndexModel

from models import answers, texts
from models.export import Format
from models.job import MAKER, JobState
from models.listing import FileQuery, InJSON, Sort, document_single_values
from models.problem import Problem
from models.stored import GONE_WHEN_DUE
from models.user import EXAMPLE_ID
from models.values import Text, not_blank

EXAMPLE_BODY: Final[dict[str, Any]] = {
    "format": "xlsx",
    "columns": "name,email:E-Mail,address1_city",
    "department": ["Engineering"],
}

EXAMPLE_EXPORT: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01235",
    "state": "succeeded",
    "job": "6b05f0a1e1b7a3d4c9f01234",
    "format": "xlsx",
    "columns": ["name", "E-Mail", "address1_city"],
    "filter": {"department": ["Engineering"]},
    "q": None,
    "sort": None,
    "rows": 1250,
    "bytes": 91204,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "file": "/users/exports/6b05f0a1e1b7a3d4c9f01235/file",
    "error": None,
    "created_at": "2026-01-31T08:00:00.123000Z",
    "created_by": EXAMPLE_ID,
    "schedule": None,
    "destination": None,
    "delivered_at": None,
    "expires_at": "2026-02-01T08:00:01.456000Z",
}


MOST_COLUMNS: Final = 4000
"""The most columns; `columns` cannot name more in its length."""
Label = Annotated[str, Field(pattern=answers.PLAIN, max_length=100)]
Query = Annotated[str, Field(pattern=answers.PLAIN, max_length=1000)]


def _describe(schema: dict[str, Any]) -> None:
    schema["examples"] = [EXAMPLE_BODY]
    document_single_values(schema)


def _no_path(name: str) -> str:
    if "/" in name or "\\" in name:
        msg = "must be a name without a path, such as people.xlsx"
        raise ValueError(msg)
    return name


class ExportBody(InJSON, FileQuery):
    """The parameters of a download, and the format. A filter's single value needs no array."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=_describe)

    format: Format
    filename: Annotated[
        str,
        Text(100, not_blank, texts.line, _no_path, minLength=1),
        Field(description="The name of the file; `users-` and the time by default.", examples=["张伟.xlsx"]),
    ] = Field(default_factory=str)  # never used; unlike None, not part of the schema
    notify: Annotated[
        bool, Field(description="Whether a mail tells you when it has ended, and leads to the file.")
    ] = False


class ExportOutput(BaseModel):
    """The manifest of an export."""

    model_config = answers.shown(EXAMPLE_EXPORT)

    id: answers.Id
    state: Annotated[
        JobState, Field(description="The state of the job; the file is ready once it has succeeded.")
    ]
    job: Annotated[answers.Id, Field(description="Id of the job, for `/jobs/{id}` and its events.")]
    format: Format
    columns: Annotated[
        list[Label] | None,
        Field(
            max_length=MOST_COLUMNS,
            description="The labels of columns, in order; null for NDJSON of whole users.",
        ),
    ]
    filter: Annotated[dict[str, Any], Field(description="The filters, as they were sent.")]
    q: Query | None
    sort: Sort | None
    rows: Annotated[answers.Count | None, Field(description="The number of users in the file.")]
    bytes: answers.Count | None
    sha256: Annotated[answers.Sha256 | None, Field(description="The file's SHA-256, in hexadecimal.")]
    file: Annotated[answers.Path | None, Field(description="Path of the file.")]
    error: Annotated[Problem | None, Field(description="Why it failed.")]
    created_at: answers.Moment
    created_by: Annotated[answers.Id | None, Field(description=MAKER)]
    schedule: Annotated[answers.Id | None, Field(description="Id of the schedule that made it.")]
    destination: Annotated[
        answers.Line | None, Field(description="Where its job leaves a copy, if its schedule says so.")
    ]
    delivered_at: Annotated[answers.Moment | None, Field(description="When the copy was complete.")]
    expires_at: Annotated[answers.Moment, Field(description="When it is deleted, with its file.")]


class ExportPage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_EXPORT], "next": None})

    items: Annotated[list[ExportOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the page after; null at the end.")]


class StoredExport(Document):
    """An export as stored; the fields of its file are null until that is complete."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    by: str | None
    asked: dict[str, Any]
    schedule: PydanticObjectId | None
    job: str
    labels: list[str] | None
    created_at: datetime
    expires_at: datetime
    """The index deletes the document then, `app.database.stored_files` the file."""
    file: PydanticObjectId | None = None
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    destination: str | None = None
    delivered_at: datetime | None = None

    class Settings:
        name = "exports"
        indexes: ClassVar[list[IndexModel]] = [GONE_WHEN_DUE, IndexModel([("by", 1), ("_id", -1)], name="by")]
