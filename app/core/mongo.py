"""What MongoDB's driver hands out, by one name in the whole house, and the two ways to decode it."""

from datetime import UTC
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

Row = dict[str, Any]
"""A document as stored."""
Database = AsyncDatabase[Row]
Collection = AsyncCollection[Row]

BSON: CodecOptions[Row] = CodecOptions(
    document_class=dict,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,  # a date past Python's years is a bad row, no crash
    unicode_decode_error_handler="replace",
)
"""For what others may have written wrong; times are naive, in UTC."""
AWARE: CodecOptions[Row] = CodecOptions(document_class=dict, tz_aware=True, tzinfo=UTC)
