"""Page cursors: opaque, authentic and bound to the query they were made for.

A cursor is AES-256-GCM over its BSON; the fingerprint of filter and sort is the associated data, so that a
cursor of another query, of another directory or of a forger does not open. Codes are RFC 9865's.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from app.core import sealing
from app.core.errors import ExpiredCursorError, InvalidCursorError

LIFE_S = 86_400
"""How long a cursor is good: a day is longer than a walk takes, and old ones need not open for ever."""
_LONGEST = 4096
# The last row of a page may hold a year beyond Python's.
_BSON: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows: beside the row with this sort value and id, in this segment of the order."""

    segment: int
    value: Any
    id: Any
    backward: bool = False
    inclusive: bool = False
    """Whether the page begins with that row, not past it."""


class CursorSealer:
    """Seals positions into cursors and opens them again; every process with the same key understands them."""

    def __init__(self, key: str, *, ttl_s: int = LIFE_S, now: Callable[[], float] = time.time) -> None:
        self._sealer = sealing.Sealer(key, "cursor")
        self._ttl_s = ttl_s
        self._now = now

    def seal(self, position: Position, fingerprint: bytes) -> str:
        content = bson.encode(
            {
                "e": int(self._now()) + self._ttl_s,
                "s": position.segment,
                "v": position.value,
                "i": position.id,
                "b": position.backward,
                "n": position.inclusive,
            }
        )
        return sealing.encode(self._sealer.seal(content, fingerprint))

    def open(self, cursor: str, fingerprint: bytes) -> Position:
        """InvalidCursorError: forged, damaged or of another query; ExpiredCursorError: too old."""
        invalid = InvalidCursorError(
            "The cursor was not made for this filter and sort; start again without `cursor`."
        )
        if len(cursor) > _LONGEST:
            raise invalid
        try:
            content = bson.decode(self._sealer.open(sealing.decode(cursor), fingerprint), _BSON)
        except (ValueError, sealing.BrokenSealError, BSONError):
            raise invalid from None
        if content["e"] < self._now():
            raise ExpiredCursorError("The cursor is too old; start again without `cursor`.")
        return Position(
            segment=content["s"],
            value=content["v"],
            id=content["i"],
            backward=content["b"],
            inclusive=content["n"],
        )
