"""A batch of changes and the answer to each."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from models.problem import Problem
from models.user import EXAMPLE_ID, EXAMPLE_INPUT, UserInput, UserPatch

MAX_OPERATIONS = 1000
UserId = Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$", examples=[EXAMPLE_ID])]
Version = Annotated[int, Field(strict=True, ge=1, description="Only if the user is still at this version.")]


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
    """Operations, done in their order; each stands or falls alone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "operations": [
                        {"op": "create", "user": EXAMPLE_INPUT},
                        {"op": "update", "id": EXAMPLE_ID, "patch": {"phone": None}, "version": 3},
                        {"op": "delete", "id": EXAMPLE_ID},
                    ]
                }
            ]
        },
    )

    operations: Annotated[
        list[Annotated[Any, SkipValidation, Field(json_schema_extra={})]],
        Field(min_length=1, max_length=MAX_OPERATIONS),
    ]


class Outcome(BaseModel):
    status: Annotated[int, Field(description="What the operation alone would have answered.")]
    id: str | None
    version: int | None
    error: Problem | None


class BatchOutput(BaseModel):
    results: Annotated[list[Outcome], Field(description="One for each operation, in their order.")]
