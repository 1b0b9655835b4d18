"""Numbers, days and times in query strings, without spellings that only Python accepts."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

LONGEST_MOMENT = 40
"""The most characters of a time."""
WHEN = "a day (2026-01-31, all of it) or a time (2026-01-31T08:00:00Z; UTC without an offset)"
_NO_MOMENT = "must be a date (2026-01-31) or a time (2026-01-31T08:00:00Z)"
_WHOLE = re.compile("-?[0-9]+")
_DAY_LENGTH = len("2026-01-31")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[-+ ][0-9]{2}:[0-9]{2})?)?"
)
"""RFC 3339, section 5.6; seconds and offset may be left out, and an unescaped + arrives as a space."""


def _whole(given: object) -> object:
    """Text must be digits; other values (JSON's numbers) are for Pydantic to check."""
    if isinstance(given, str) and not _WHOLE.fullmatch(given):
        msg = "must be a whole number in digits, such as 50"
        raise ValueError(msg)
    return given


def _moment(given: object, *, end: bool) -> object:
    """A time; as an upper bound a date means the whole day. Without an offset it is UTC."""
    if isinstance(given, datetime):
        return given
    if not isinstance(given, str) or not _MOMENT.fullmatch(given):
        raise ValueError(_NO_MOMENT)
    day, rest = given[:_DAY_LENGTH], given[_DAY_LENGTH + 1 :]
    try:
        if not rest:
            start = datetime.fromisoformat(f"{day}T00:00Z")
            return start + timedelta(days=1, milliseconds=-1) if end else start
        moment = datetime.fromisoformat(f"{day}T{rest.upper().replace(' ', '+')}")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(_NO_MOMENT) from None


_BOUNDED = Field(json_schema_extra={"maxLength": LONGEST_MOMENT})
From = Annotated[datetime, BeforeValidator(lambda given: _moment(given, end=False)), _BOUNDED]
To = Annotated[datetime, BeforeValidator(lambda given: _moment(given, end=True)), _BOUNDED]
Whole: Any = BeforeValidator(_whole)
"""For the annotation of a number in a query string."""
