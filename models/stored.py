"""What stored documents share: ids that are text, and how they expire."""

from datetime import UTC, datetime
from typing import Annotated, Final

from beanie import Document
from pydantic import AfterValidator
from pymongo import IndexModel


class NamedDocument(Document):
    """A document whose id is text: a name, a hash or a word."""

    id: str  # type: ignore[assignment]  # Beanie types the ids that it makes itself, and takes any


GONE_WHEN_DUE: Final = IndexModel([("expires_at", 1)], name="expires_at", expireAfterSeconds=0)
"""Each document names its own expiry. MongoDB looks about once a minute, so the code asks the clock too."""
FOREVER_S: Final = 2**31 - 1
"""The longest expiry that MongoDB accepts."""


StoredMoment = Annotated[
    datetime, AfterValidator(lambda moment: moment if moment.tzinfo else moment.replace(tzinfo=UTC))
]
"""A time, which MongoDB's driver answers without the zone that it is in, UTC."""
