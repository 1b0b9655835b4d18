"""The one shape of every error reply (RFC 9457), for the OpenAPI document and for clients."""

from pydantic import BaseModel, ConfigDict, Field

from models.values import PLAIN

MEDIA_TYPE = "application/problem+json"


class ProblemError(BaseModel):
    """One bad field (`pointer`) or parameter (`parameter`); the other member is omitted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detail: str = Field(
        max_length=500,
        pattern=PLAIN,
        description="What would be right, in one sentence; never the value that was sent.",
    )
    pointer: str | None = Field(
        default=None,
        max_length=500,
        pattern=r"^(/[^/\x00]*)*$",
        description="JSON pointer (RFC 6901) into the body.",
    )
    parameter: str | None = Field(
        default=None,
        max_length=500,
        pattern=PLAIN,
        description="Name of a query, path, header or cookie parameter.",
    )


class Problem(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(
        max_length=96,
        pattern="^urn:roster:problem:[a-z_]+$",
        description="`urn:roster:problem:` and the code.",
    )
    title: str = Field(max_length=128, pattern=PLAIN, description="The same for each problem of this code.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(max_length=500, pattern=PLAIN, description="What happened this time, for people.")
    code: str = Field(
        max_length=64, pattern="^[a-z_]+$", description="A stable name of the problem, for programs."
    )
    request_id: str = Field(
        max_length=64,
        pattern="^[A-Za-z0-9._-]*$",
        description="The reply's `X-Request-ID`, which is also in the log lines of the request.",
    )
    errors: list[ProblemError] = Field(max_length=50, description="The bad fields, at most 50; often empty.")
