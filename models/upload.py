"""Uploads of files straight to the operator's bucket."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, Field

from models import answers

EXAMPLE_UPLOAD: Final[dict[str, Any]] = {
    "id": "6b05f0a1e1b7a3d4c9f01250",
    "url": "https://files.example.com/people-files/roster/imports/6b05f0a1e1b7a3d4c9f01250?X-Amz-Signature=4f1c",
    "expires_at": "2026-01-31T08:15:00.123000Z",
}


class UploadInput(BaseModel):
    """The file that is to be uploaded."""

    model_config = answers.shown(
        {"bytes": 2048, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
        extra="forbid",
    )

    bytes: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1, description="Its length.")]
    sha256: Annotated[
        str,
        Field(pattern="^[0-9a-fA-F]{64}$", max_length=64, description="Its SHA-256, in hexadecimal."),
        AfterValidator(str.lower),
    ]


class UploadOutput(BaseModel):
    model_config = answers.shown(EXAMPLE_UPLOAD)

    id: answers.Id
    url: Annotated[
        str,
        Field(
            pattern="^https?://",
            max_length=8192,
            json_schema_extra={"format": "uri"},
            description="Where to PUT the file, without a token: all who know it can.",
        ),
    ]
    expires_at: Annotated[
        answers.Moment, Field(description="By when the PUT must begin; complete it within a day.")
    ]
