"""Errors of the HTTP parser as ours; it has a few kinds and otherwise fixed texts."""

import re

from httptools import HttpParserInvalidMethodError, HttpParserInvalidURLError

from app.core.errors import RosterError
from app.http.problems import HTTPVersionError, MalformedRequestError, UnknownHTTPError

LONGEST_START = 64
"""Bytes at the start of a request that tell whether it begins with a method (RFC 9110, section 9.1)."""
_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+( |$)")
_UNKNOWN_METHOD = UnknownHTTPError("This method is unknown: use GET, HEAD, POST, PUT, PATCH or DELETE.")
_REASONS: dict[str, RosterError] = {
    "Invalid method for HTTP/x.x request": _UNKNOWN_METHOD,
    "Invalid HTTP version": HTTPVersionError("Send HTTP/1.1."),
    "Pause on PRI/Upgrade": HTTPVersionError("Send HTTP/1.1, without the preface of HTTP/2."),
    "Request has invalid `Transfer-Encoding`": UnknownHTTPError("The only known transfer coding is chunked."),
}
_URL = "The path or query contains characters that HTTP does not allow: percent-encode text as UTF-8."


def explain(error: BaseException | None, start: bytes) -> RosterError:
    """The error to answer with; `start` has the first bytes of the request."""
    if isinstance(error, HttpParserInvalidMethodError):
        return _UNKNOWN_METHOD if _METHOD.match(start) else MalformedRequestError("This is not HTTP.")
    cause = error.__context__ if error is not None else None
    if isinstance(cause, RosterError):
        return cause
    if isinstance(cause, HttpParserInvalidURLError) and start.startswith(b"CONNECT "):
        return _UNKNOWN_METHOD
    if isinstance(error, HttpParserInvalidURLError) or isinstance(cause, HttpParserInvalidURLError):
        return MalformedRequestError(_URL)
    return _REASONS.get(str(error)) or MalformedRequestError(f"The request is not HTTP/1.1: {error}.")
