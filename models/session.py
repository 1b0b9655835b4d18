"""A session, as its user and administrators see it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_SIGN_OUTS = 1_000


class SessionOutput(BaseModel):
    id: str
    client_id: str
    scopes: list[str]
    created_at: datetime
    used_at: Annotated[datetime, Field(description="When it was last refreshed, or begun.")]
    expires_at: Annotated[datetime, Field(description="When it ends, however much it is used.")]
    address: Annotated[str | None, Field(description="From which it was begun.")]
    agent: Annotated[str | None, Field(description="The User-Agent with which it was begun.")]
    current: Annotated[bool, Field(description="Whether it is the one of this request.")]


class SessionList(BaseModel):
    items: list[SessionOutput]


class SignOut(BaseModel):
    """Users to sign out everywhere."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"ids": ["6742f0c1a5d3b8e9f0123456"]}]}
    )

    ids: Annotated[
        list[Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")]],
        Field(min_length=1, max_length=MAX_SIGN_OUTS),
    ]


class SignOutResult(BaseModel):
    id: str
    status: Annotated[int, Field(description="204: signed out everywhere; 404: no such user.")]


class SignOutOutput(BaseModel):
    results: list[SignOutResult]
