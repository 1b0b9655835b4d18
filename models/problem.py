"""The one shape of every error reply (RFC 9457), for the OpenAPI document and for clients."""

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class ProblemError(BaseModel):
    """One bad field (`pointer`) or parameter (`parameter`); the other key is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detail: str = Field(description="What would be right, in one sentence; never what was sent.")
    pointer: str | None = Field(default=None, description="JSON pointer (RFC 6901) into the body.")
    parameter: str | None = Field(
        default=None, description="Name of a query, path, header or cookie parameter."
    )


class Problem(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(description="`urn:roster:problem:` and the code.")
    title: str = Field(description="The same for each problem of this code.")
    status: int = Field(description="The HTTP status, again.", ge=400, le=599)
    detail: str = Field(description="What happened this time, for people.")
    code: str = Field(description="Stable name of the problem, for programs.")
    request_id: str = Field(description="The reply's `X-Request-ID`; the log lines of the request carry it.")
    errors: list[ProblemError] = Field(description="The bad fields, at most 50; often empty.")
