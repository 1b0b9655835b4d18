"""Byte ranges of files (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

from app.core.errors import RangeNotSatisfiableError


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The request's headers Range, If-Range and If-None-Match."""

    range: str | None
    if_range: str | None
    if_none_match: str | None


_RANGE = re.compile(r"(?a)bytes\s*=\s*(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def choose(header: str | None, length: int) -> tuple[int, int] | None:
    """The first byte and the one past the last; None for the whole file.

    Anything but a single range is ignored, as section 14.2 allows. RangeNotSatisfiableError: it begins past
    the end.
    """
    found = _RANGE.fullmatch((header or "").strip())
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        start, stop = int(found[1]), min(int(found[2] or length), length - 1) + 1
        if found[2] and int(found[2]) < start:
            return None
    else:
        start, stop = max(length - int(found[2]), 0), length
    if start >= length or stop <= start:
        raise RangeNotSatisfiableError(
            f"The file has {length} bytes.", headers={"Content-Range": f"bytes */{length}"}
        )
    return start, stop
