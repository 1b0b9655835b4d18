"""Explains why a backend fails in its driver's words, without hosts, commands and secrets."""

import re
from collections.abc import Sequence

from pymongo.errors import OperationFailure, PyMongoError
from redis.exceptions import AuthenticationError, ResponseError

DUPLICATE_KEY = 11_000
"""MongoDB's code for a value that a unique index holds already."""
_LONGEST = 200
_CUT = re.compile(r", (Timeout|full error): .*", re.DOTALL)
_COMMAND = re.compile(r"to execute command \{ ?(\w+):.*", re.DOTALL)
_LEFT_OUT: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r" \(configured timeouts: [^)]*\)"), ""),
    (re.compile(r"Error -?\d+ connecting to \S+\. "), ""),
    (re.compile(r"Connect call failed \([^)]*\)"), "connection refused"),
    (re.compile(r"Multiple exceptions: .*"), "connection refused"),
    (re.compile(r"\[Errno -?\d+\] "), ""),
    (re.compile(r"(?<![\w.])[\w.\-\[\]:%]+:\d+(?![\w.]):? ?"), ""),
    (re.compile(r"\s+"), " "),
)
_EXPLANATIONS = (
    ("HELLO must be called", "it wants a password"),
    ("NOAUTH", "it wants a password"),
    ("No servers found yet", "no answer in time, or not from MongoDB"),
    ("Timeout connecting", "no answer in time, perhaps because only one end uses TLS"),
    ("connection closed", "it closed the connection, perhaps because only one end uses TLS"),
    ("Connection closed by server", "it closed the connection, perhaps because only one end uses TLS"),
)
_OF_AN_OPTION = re.compile(r"\b\w+ must be [\w ]+|Unsupported compressor|requires a username")
_PASSING = ("RetryableWriteError", "TransientTransactionError")
_RETRYABLE = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
"""The codes that MongoDB's specification of retryable reads has tried again."""
_NOT_YET = ("LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN")


def explain(error: BaseException) -> str:
    """The reason in a few words, without a full stop."""
    text = str(error)
    for beginning, words in _EXPLANATIONS:
        if beginning.lower() in text.lower():
            return words
    text = _COMMAND.sub(r"to \1", _CUT.sub("", text))
    for pattern, instead in _LEFT_OUT:
        text = pattern.sub(instead, text)
    reasons = dict.fromkeys(part.strip(" .:") for part in text.split(","))
    return ", ".join(reasons)[:_LONGEST] or type(error).__name__


def explain_address(error: BaseException) -> str:
    """Why a driver refuses an address, without parts of it that may be secret."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}"
    found = _OF_AN_OPTION.search(str(error))
    return found[0] if found else "look at its hosts and options"


def is_refusal(error: BaseException) -> bool:
    """Whether the backend answered with a refusal that will not end by itself."""
    if isinstance(error, PyMongoError):
        passes = error.timeout or any(map(error.has_error_label, _PASSING))
        return isinstance(error, OperationFailure) and error.code not in _RETRYABLE and not passes
    is_answer = isinstance(error, AuthenticationError | ResponseError)
    return is_answer and not str(error).startswith(_NOT_YET)
