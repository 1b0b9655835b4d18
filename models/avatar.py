"""Avatars: as stored, and the query that chooses a size."""

from datetime import datetime
from typing import Annotated, ClassVar, Final

from beanie import PydanticObjectId
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pymongo import ASCENDING, IndexModel

from models.pictures import SIZES, PictureForm, Size
from models.stored import NamedDocument

PATH: Final = "/avatars/"
VERSION: Final = "[A-Za-z0-9_-]{22}"
"""The pattern of an avatar's version: 128 random bits, made at each upload."""
UPLOADED: Final = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")
"""The media types of pictures that are taken."""
_BY_TEXT: Final = {str(size): size for size in SIZES}
"""As a literal converts no text."""


class AvatarQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: Annotated[Size, BeforeValidator(lambda given: _BY_TEXT.get(given, given)), Field(
        json_schema_extra={"minimum": min(SIZES), "maximum": max(SIZES)},
        description="The pixels of each side.",
    )] = 256  # fmt: skip


class StoredAvatar(NamedDocument):
    """An uploaded picture, by its version; it lives while its user's `avatar_url` names it."""

    user: PydanticObjectId
    base: str
    """What stands before the path in that URL."""
    form: PictureForm
    file: PydanticObjectId
    """The file, in which the squares follow each other."""
    lengths: list[int]
    """The bytes of each square, in the order of their sizes."""
    checked_at: datetime
    """When it was made, or last found alive."""

    class Settings:
        name = "avatars"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("base", ASCENDING)], name="base"),
            IndexModel([("checked_at", ASCENDING)], name="checked_at"),
        ]
