"""Saved views of the list of users: on the wire, and as they are stored."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import DESCENDING, IndexModel

from models import answers, texts
from models.user import EXAMPLE_ID
from models.values import PLAIN, Text, not_blank

MOST_VIEWS: Final = 100
"""Of one person."""
MOST_COLUMNS: Final = 50
LONGEST_QUERY: Final = 4_000

Density = Literal["compact", "standard", "comfortable"]
_EXAMPLE_INPUT: Final[dict[str, Any]] = {
    "name": "New in sales",
    "query": "department=Sales&sort=-created_at",
    "columns": ["name", "email", "profile.title", "created_at"],
    "density": "compact",
    "is_shared": True,
}
EXAMPLE_VIEW: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01238",
    **_EXAMPLE_INPUT,
    "created_by": EXAMPLE_ID,
    "created_at": "2026-01-31T08:00:00.123000Z",
    "updated_at": "2026-01-31T08:00:00.123000Z",
    "version": 1,
}


class ViewInput(BaseModel):
    model_config = answers.shown(_EXAMPLE_INPUT, extra="forbid")

    name: Annotated[str, Text(100, not_blank, texts.line, minLength=1)]
    query: Annotated[
        str,
        Field(
            max_length=LONGEST_QUERY,
            pattern=PLAIN,
            description="The query string of `GET /users`, without `?` and `cursor`; checked as there.",
        ),
    ] = ""
    columns: Annotated[
        list[Annotated[str, Field(max_length=64, pattern="^[a-z_.]+$")]] | None,
        Field(
            max_length=MOST_COLUMNS,
            json_schema_extra={"uniqueItems": True},
            description="The columns in their order, as `fields` of `GET /users` names them; "
            "null: those that the table has by itself.",
        ),
    ] = None
    density: Annotated[Density, Field(description="How close the rows stand.")] = "standard"
    is_shared: Annotated[bool, Field(strict=True, description="Whether all who may read users see it.")] = (
        False
    )


class ViewOutput(BaseModel):
    model_config = answers.shown(EXAMPLE_VIEW)

    id: answers.Id
    name: answers.Line
    query: Annotated[str, Field(pattern=PLAIN, max_length=LONGEST_QUERY)]
    columns: Annotated[list[answers.Line] | None, Field(max_length=MOST_COLUMNS)]
    density: Density
    is_shared: bool
    created_by: Annotated[
        answers.Id, Field(description="Who made it; of a shared view perhaps deleted since.")
    ]
    created_at: answers.Moment
    updated_at: answers.Moment
    version: answers.Version


class ViewPage(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_VIEW], "next": None})

    items: Annotated[list[ViewOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next page; null at the end.")]


class StoredView(Document):
    """A view as stored."""

    id: PydanticObjectId = Field(default_factory=PydanticObjectId)
    name: str
    query: str
    columns: list[str] | None
    density: Density
    created_by: PydanticObjectId
    private_to: PydanticObjectId | None
    """Who alone sees it, and with whom it is deleted; null: it is shared, and stays when its maker goes."""
    created_at: datetime
    updated_at: datetime
    version: int = 1

    class Settings:
        name = "views"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("private_to", 1), ("_id", DESCENDING)], name="private_to"),
            IndexModel([("created_by", 1)], name="created_by"),
        ]
