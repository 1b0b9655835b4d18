"""A batch of changes, and the result of each."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from models import answers
from models.problem import Problem
from models.user import EXAMPLE_ID, EXAMPLE_INPUT, UserInput, UserPatch

MAX_OPERATIONS = 1000
UserId = Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$", examples=[EXAMPLE_ID])]
Version = Annotated[
    int, Field(strict=True, ge=1, le=answers.MOST, description="Only if the user still has this version.")
]


class CreateOperation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    op: Literal["create"]
    user: UserInput


class UpdateOperation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    op: Literal["update"]
    id: UserId
    patch: UserPatch
    version: Version | None = None


class DeleteOperation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    op: Literal["delete"]
    id: UserId
    version: Version | None = None


Operation = Annotated[CreateOperation | UpdateOperation | DeleteOperation, Field(discriminator="op")]


class Batch(BaseModel):
    """Operations, done in order; each succeeds or fails by itself."""

    model_config = answers.shown(
        {
            "operations": [
                {"op": "create", "user": EXAMPLE_INPUT},
                {"op": "update", "id": EXAMPLE_ID, "patch": {"phone": None}, "version": 3},
                {"op": "delete", "id": EXAMPLE_ID},
            ]
        },
        extra="forbid",
    )

    operations: Annotated[list[SkipValidation[Operation]], Field(min_length=1, max_length=MAX_OPERATIONS)]
    """Validated one by one, so that an invalid operation fails by itself."""


class Outcome(BaseModel):
    status: Annotated[
        answers.Status, Field(description="The status that the operation would have by itself.")
    ]
    id: answers.Id | None
    version: answers.Version | None
    error: Problem | None


class BatchOutput(BaseModel):
    model_config = answers.shown(
        {
            "results": [
                {"status": 201, "id": "6742f0c1a5d3b8e9f0123457", "version": 1, "error": None},
                {"status": 200, "id": EXAMPLE_ID, "version": 4, "error": None},
                {
                    "status": 404,
                    "id": EXAMPLE_ID,
                    "version": None,
                    "error": {
                        "type": "urn:roster:problem:user_not_found",
                        "title": "No such user",
                        "status": 404,
                        "detail": "There is no user with this id.",
                        "code": "user_not_found",
                        "request_id": "8c2f61d09b3e47a5",
                        "errors": [],
                    },
                },
            ]
        }
    )

    results: Annotated[
        list[Outcome], Field(max_length=MAX_OPERATIONS, description="One for each operation, in order.")
    ]
