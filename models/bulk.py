"""Bulk changes: one change of many users, planned first, with the shapes on the wire."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models import answers
from models.imports import EXAMPLE_IMPORT, ImportCounts, ImportRow, ImportState
from models.job import MAKER
from models.listing import Filter, Id, InJSON, Q, document_single_values
from models.problem import Problem
from models.user import EXAMPLE_ID
from models.values import Scopes, Tags

MOST_IDS: Final = 10_000

EXAMPLE_BODIES: Final[list[Any]] = [
    {"filter": {"department": "Sales"}, "change": {"action": "add_tags", "tags": ["quota"]}},
    {"filter": {"department": "Sales", "is_active": True}, "change": {"action": "deactivate"}},
    {"ids": [EXAMPLE_ID], "change": {"action": "delete"}},
]


class StandingChange(BaseModel):
    """What needs no more words; all but `delete` need users:admin."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["activate", "deactivate", "end_sessions", "delete"]


class TagsChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    action: Literal["add_tags", "remove_tags"]
    tags: Annotated[
        Tags, Field(min_length=1, description="Those that a user has in another case are the same.")
    ]


class ScopesChange(BaseModel):
    """Needs users:admin."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["add_scopes", "remove_scopes"]
    scopes: Annotated[Scopes, Field(min_length=1)]


Change = StandingChange | TagsChange | ScopesChange
AnyChange = Annotated[Change, Field(discriminator="action")]


class BulkFilter(InJSON, Filter):
    """The filters of `GET /users`, and `q`; without any, everybody. A single value needs no array."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=document_single_values)

    q: Q = None


class BulkBody(BaseModel):
    """A change, and of whom: `filter` or `ids`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": EXAMPLE_BODIES,
            "oneOf": [{"required": ["filter"]}, {"required": ["ids"]}],
        },
    )

    filter: Annotated[BulkFilter, Field(default_factory=BulkFilter)]
    ids: Annotated[
        list[Id],
        Field(
            default_factory=list,
            min_length=1,
            max_length=MOST_IDS,
            description="Ids of users.",
            examples=[[EXAMPLE_ID]],
        ),
    ]
    change: AnyChange

    @model_validator(mode="after")
    def _names_one(self) -> "BulkBody":
        if len({"filter", "ids"} & self.model_fields_set) != 1:
            msg = "must have either filter or ids"
            raise ValueError(msg)
        return self


class BulkRefusal(BaseModel):
    """Why some users stay as they are."""

    code: Annotated[answers.Code, Field(description="As in the `errors` of their rows.")]
    users: answers.Count


class BulkLoss(BaseModel):
    """What no revert brings back."""

    what: Literal["users", "sessions"]
    users: Annotated[answers.Count, Field(description="Users who are deleted, or signed out.")]
    detail: answers.Sentence


EXAMPLE_BULK: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01250",
    "state": "planned",
    "change": {"action": "deactivate"},
    "filter": {"department": ["Sales"], "is_active": ["true"]},
    "reverts": None,
    "rows": 303,
    "counts": EXAMPLE_IMPORT["counts"]
    | {"create": 0, "update": 300, "delete": 0, "unchanged": 1, "error": 2},
    "refused": [{"code": "own_account", "users": 1}, {"code": "last_administrator", "users": 1}],
    "irreversible": [
        {"what": "sessions", "users": 300, "detail": "Sessions that end stay ended: users sign in again."}
    ],
    "revert_until": "2026-02-07T08:00:00.123000Z",
    **{
        name: EXAMPLE_IMPORT[name]
        for name in (
            "problem", "plan_job", "apply_job", "created_by", "created_at", "planned_at", "applied_at",
            "expires_at",
        )
    },
}  # fmt: skip
EXAMPLE_ROWS: Final[list[dict[str, Any]]] = [
    {
        "row": 1,
        "status": "update",
        "id": EXAMPLE_ID,
        "differences": [{"pointer": "/is_active", "from": True, "to": False}],
        "values": None,
        "errors": [],
    },
    {
        "row": 2,
        "status": "error",
        "id": "6b05f0a1e1b7a3d4c9f01251",
        "differences": [],
        "values": None,
        "errors": [
            {
                "code": "own_account",
                "detail": "This is your own account: change it by itself.",
                "pointer": None,
                "column": None,
            }
        ],
    },
]


class BulkOutput(BaseModel):
    """A bulk change without its rows."""

    id: answers.Id
    state: ImportState
    change: Annotated[AnyChange | None, Field(description="Null for a revert.")]
    filter: Annotated[
        dict[str, Any] | None,
        Field(description="The filters, as they were sent; null for ids and for a revert."),
    ]
    reverts: Annotated[answers.Id | None, Field(description="The bulk change that this one undoes.")]
    rows: Annotated[answers.Count, Field(description="Planned users.")]
    counts: Annotated[
        ImportCounts, Field(description="As of an import; `error` rows are refused, none creates.")
    ]
    refused: Annotated[list[BulkRefusal], Field(max_length=10, description="How many are refused, and why.")]
    irreversible: Annotated[list[BulkLoss], Field(max_length=2, description="What cannot be undone.")]
    revert_until: Annotated[
        answers.Moment,
        Field(description="Until when it can be reverted: then its rows or the audit trail may be gone."),
    ]
    problem: Annotated[Problem | None, Field(description="Why there is no complete plan.")]
    plan_job: Annotated[answers.Id, Field(description="The job that plans it: GET /jobs/{id}.")]
    apply_job: Annotated[answers.Id | None, Field(description="The job that applies it.")]
    created_by: Annotated[answers.Id | None, Field(description=MAKER)]
    created_at: answers.Moment
    planned_at: answers.Moment | None
    applied_at: answers.Moment | None
    expires_at: Annotated[answers.Moment, Field(description="When it is deleted, with its rows.")]


class BulkPlan(BulkOutput):
    """A bulk change with a page of its rows."""

    model_config = answers.shown(EXAMPLE_BULK | {"items": EXAMPLE_ROWS, "next": None})

    items: Annotated[list[ImportRow], Field(max_length=1000)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next rows.")]


class BulkList(BaseModel):
    """Bulk changes, the newest first."""

    model_config = answers.shown({"items": [EXAMPLE_BULK], "next": None})

    items: Annotated[list[BulkOutput], Field(max_length=100)]
    next: Annotated[answers.Cursor | None, Field(description="Cursor of the next bulk changes.")]
