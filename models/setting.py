"""The settings of a process, as administrators see them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from models import answers
from models.values import PLAIN

EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "name": "ROSTER_ACCESS_TOKEN_TTL_S",
            "value": "600",
            "is_set": False,
            "is_secret": False,
            "meaning": "Seconds for which an access token is valid.",
        },
    ]
}


class SettingOutput(BaseModel):
    name: Annotated[
        str, Field(max_length=64, pattern="^ROSTER_[A-Z0-9_]+$", description="The environment variable.")
    ]
    value: Annotated[
        str | None,
        Field(
            max_length=65_536,
            pattern=PLAIN,
            description="What is in force; null for secrets, and where nothing is.",
        ),
    ]
    is_set: Annotated[
        bool, Field(description="Whether the environment or `.env` has it; otherwise it is the default.")
    ]
    is_secret: bool
    meaning: answers.Sentence


class SettingList(BaseModel, json_schema_extra={"examples": [EXAMPLE]}):
    items: Annotated[list[SettingOutput], Field(max_length=1_000)]
