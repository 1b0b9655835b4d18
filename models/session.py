"""A session, as its user and administrators see it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from models.user import EXAMPLE_ID

MAX_SIGN_OUTS = 1_000


EXAMPLE_SESSION: dict[str, Any] = {
    "id": "Z0LwwaXTuOnwEjRWdGhlIHJlc3QgaXMgcmFuZG9tLg",
    "client_id": "portal",
    "scopes": ["me", "users:read"],
    "created_at": "2026-01-31T08:00:00.123000Z",
    "used_at": "2026-02-01T09:30:00.456000Z",
    "expires_at": "2026-03-02T08:00:00.123000Z",
    "address": "203.0.113.7",
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "current": True,
}


class SessionOutput(BaseModel):
    id: str
    client_id: Annotated[str, Field(description="The client it was begun with.")]
    scopes: Annotated[list[str], Field(description="What its tokens may carry.")]
    created_at: datetime
    used_at: Annotated[datetime, Field(description="When it was last refreshed, or begun.")]
    expires_at: Annotated[datetime, Field(description="When it ends, however much it is used.")]
    address: Annotated[str | None, Field(description="From which it was begun.")]
    agent: Annotated[str | None, Field(description="The User-Agent with which it was begun.")]
    current: Annotated[bool, Field(description="Whether it is the one of this request.")]


class SessionList(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE_SESSION]}]})

    items: list[SessionOutput]


class SignOut(BaseModel):
    """Users to sign out everywhere."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [EXAMPLE_ID]}]})

    ids: Annotated[
        list[Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")]],
        Field(min_length=1, max_length=MAX_SIGN_OUTS),
    ]


class SignOutResult(BaseModel):
    id: str
    status: Annotated[int, Field(description="204: signed out everywhere; 404: no such user.")]


class SignOutOutput(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"results": [{"id": EXAMPLE_ID, "status": 204}]}]}
    )

    results: Annotated[list[SignOutResult], Field(description="One for each id, in their order.")]
