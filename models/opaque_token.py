"""Personal access tokens, and the long-lived tokens of clients: requests, replies and what is stored."""

from typing import Annotated, Any, ClassVar, Final

from beanie import PydanticObjectId
from pydantic import AfterValidator, BaseModel, Field
from pymongo import DESCENDING, IndexModel

from models import answers
from models.stored import GONE_WHEN_DUE, NamedDocument, StoredMoment
from models.values import MOST_SCOPES, Line, Scope, Scopes, not_blank

MOST_TOKENS = 100
"""The most tokens of one user or client."""
DAY_S = 86_400

EXAMPLE_OPAQUE_TOKEN: Final[dict[str, Any]] = {
    "id": "ZlDF8uG3o9TJ8BI0dGhlIHNlc3Npb24ncyBoYXNoLi4",
    "name": "nightly report",
    "scopes": ["users:read"],
    "created_at": "2026-01-31T08:00:00.123000Z",
    "expires_at": "2026-05-01T08:00:00.123000Z",
    "last_used_at": None,
}
_EXAMPLE_TEXT = "roster_pat_ZlDF8uG3o9TJ8BI0dGhlIHJlc3QgaXMgcmFuZG9tLi4YJ3IRg"


class OpaqueTokenInput(BaseModel):
    model_config = answers.shown({"name": "nightly report", "scopes": ["users:read"]}, extra="forbid")

    name: Annotated[
        Line, AfterValidator(not_blank), Field(description="What it is for: to know it again in the list.")
    ]
    scopes: Annotated[Scopes, Field(min_length=1, description="What it may do.")]
    expires_in: Annotated[
        int, Field(strict=True, ge=60, le=366 * DAY_S, description="Seconds for which it is valid.")
    ] = 90 * DAY_S


class OpaqueTokenOutput(BaseModel):
    """A token, without its text."""

    id: Annotated[answers.Sid, Field(description="By which it is ended; the `sid` of introspection.")]
    name: answers.Line
    scopes: Annotated[list[Scope], Field(max_length=MOST_SCOPES)]
    created_at: answers.Moment
    expires_at: answers.Moment
    last_used_at: Annotated[
        answers.Moment | None,
        Field(description="When it was used, noted once a day at most; null: not yet."),
    ]


class NewOpaqueToken(OpaqueTokenOutput):
    model_config = answers.shown(EXAMPLE_OPAQUE_TOKEN | {"token": _EXAMPLE_TEXT})

    token: Annotated[
        str,
        Field(
            pattern="^roster_(pat|svc)_[A-Za-z0-9_-]{49}$",
            max_length=60,
            description="To be sent as `Authorization: Bearer`. Shown this once.",
        ),
    ]


class OpaqueTokenList(BaseModel):
    model_config = answers.shown({"items": [EXAMPLE_OPAQUE_TOKEN]})

    items: Annotated[list[OpaqueTokenOutput], Field(max_length=MOST_TOKENS)]


class StoredToken(NamedDocument):
    """A token as stored, under the id of its session, which has 160 bits of its SHA-256."""

    principal: PydanticObjectId
    """Id of the user, or `subject` of the client, whose token it is."""
    generation: int
    """That of the principal's sessions when it was made; of another one, it has ended."""
    client_id: str
    registration: str
    name: str
    scopes: list[Scope]
    created_at: StoredMoment
    expires_at: StoredMoment
    last_used_at: StoredMoment | None

    class Settings:
        name = "tokens"
        indexes: ClassVar[list[IndexModel]] = [
            GONE_WHEN_DUE,
            IndexModel([("principal", 1), ("created_at", DESCENDING)], name="principal"),
        ]
