"""How fresh reads are: what the caller of a request has seen, what it wrote, how old its answer may be."""

import re
import time
from collections.abc import Sequence
from contextvars import ContextVar

from bson import Timestamp

from app.core.errors import FieldError, InvalidError

OPERATION_TIME = "Operation-Time"
AGE = "Data-Age"
PATTERN = "^[1-9][0-9]{0,9}[.][0-9]{1,9}$"
"""Seconds since 1970 by the clock of MongoDB, and a number within that second."""
_SENT = OPERATION_TIME.lower().encode()
_AHEAD_S = 60
"""How far MongoDB's clock may be ahead of ours."""


class Freshness:
    """Of one request; the header is read late, as few requests have it."""

    __slots__ = ("_headers", "age_s", "written")

    def __init__(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._headers = headers
        self.written: Timestamp | None = None
        """The time of the last write."""
        self.age_s: int | None = None
        """How old the answer may be; None: it is by the primary."""

    def find_seen(self) -> Timestamp | None:
        """The time of a write that the answer has to contain. InvalidError if it is none, or to come."""
        sent = [value for name, value in self._headers if name == _SENT]
        return _read(b",".join(sent).decode("latin-1")) if sent else None

    def describe(self) -> list[tuple[bytes, bytes]]:
        """The headers of the reply."""
        headers = []
        if self.written is not None:
            told = f"{self.written.time}.{self.written.inc}"
            headers.append((_SENT, told.encode()))
        if self.age_s is not None:
            headers.append((AGE.lower().encode(), str(self.age_s).encode()))
        return headers


FRESHNESS: ContextVar[Freshness | None] = ContextVar("freshness", default=None)
"""Of the request that is answered."""


def note_write(at: Timestamp | None) -> None:
    """Tell the caller when their change was made."""
    if (freshness := FRESHNESS.get()) is not None and at is not None:
        freshness.written = at


def find_seen() -> Timestamp | None:
    freshness = FRESHNESS.get()
    return None if freshness is None else freshness.find_seen()


def _read(text: str) -> Timestamp:
    if not re.fullmatch(PATTERN, text):
        raise _invalid("Must be the Operation-Time of a reply, such as 1764536400.1.")
    seconds, _, number = text.partition(".")
    if int(seconds) > time.time() + _AHEAD_S:
        raise _invalid("Must not be in the future.")
    return Timestamp(int(seconds), int(number))


def _invalid(detail: str) -> InvalidError:
    told = FieldError(parameter=OPERATION_TIME, detail=detail)
    return InvalidError(f"{OPERATION_TIME} is not the time of a write.", errors=(told,))
