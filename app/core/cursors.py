"""Page cursors: opaque, authentic and bound to the query they were made for.

A cursor is AES-256-GCM over its BSON; the fingerprint of filter and sort is the associated data, so that a
cursor of another query, of another directory or of a forger does not open. Codes are RFC 9865's.
"""

import base64
import binascii
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import ExpiredCursorError, InvalidCursorError

_NONCE = 12
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

    def __init__(self, key: str, *, ttl_s: int, now: Callable[[], float] = time.time) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"roster cursor\0" + key.encode()).digest())
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
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, content, fingerprint)
        return _encode(sealed)

    def open(self, cursor: str, fingerprint: bytes) -> Position:
        """InvalidCursorError: forged, damaged or of another query; ExpiredCursorError: too old."""
        invalid = InvalidCursorError(
            "The cursor was not made for this filter and sort; start again without `cursor`."
        )
        if len(cursor) > _LONGEST:
            raise invalid
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            if _encode(sealed) != cursor:
                raise invalid  # the bits past the last byte are not under the seal
            content = bson.decode(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], fingerprint), _BSON)
        except (ValueError, binascii.Error, InvalidTag, BSONError):
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


def _encode(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
