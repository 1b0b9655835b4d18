"""Errors of the store that has the bucket: what may be told of them, and which of them pass."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog
from obstore.exceptions import BaseError

from app.core.errors import StartError, UnavailableError
from app.monitoring.metrics import BACKEND_ERRORS

log = structlog.get_logger("roster.files")

_RETRY_AFTER_S: Final = 5
_REASONS: Final = tuple(
    map(
        re.compile,
        (
            r"<Code>(\w{1,64})</Code>",
            r"status code: (\d{3})",
            r"(redirect without LOCATION)",
            r"kind: (\w{1,64})",
        ),
    )
)
"""What may be told of an error, the best first: the rest of it repeats addresses, keys and signatures."""
_PASSING: Final = re.compile(r"HTTP error:|status code: (5\d\d|408|409|429)|Quota|RequestTimeout<")
_CHECK: Final[Mapping[str, str]] = {
    "NoSuchBucket": "ROSTER_FILES_URL",
    "AccessDenied": "what AWS_ACCESS_KEY_ID may do in the bucket of ROSTER_FILES_URL",
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "AWS_SESSION_TOKEN",
    "InvalidToken": "AWS_SESSION_TOKEN",
    "AuthorizationHeaderMalformed": "ROSTER_FILES_REGION",
    "redirect without LOCATION": "ROSTER_FILES_REGION",
    "RequestTimeTooSkewed": "the clock of this machine",
}
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the store into UnavailableError; what they say goes to no one."""
    try:
        yield
    except FileNotFoundError as error:
        _note(error)
        detail = "The file was deleted meanwhile, or the bucket."
        raise UnavailableError(detail, retry_after=_RETRY_AFTER_S) from None
    except BaseError as error:
        _note(error)
        detail = "The store of files did not do what it was asked: try again."
        raise UnavailableError(detail, retry_after=_RETRY_AFTER_S) from None


@contextmanager
def explained_at_start() -> Iterator[None]:
    """Turn what will not pass into StartError, which names the setting; what may pass is only logged."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - obstore panics on some addresses, in no class to be imported
        reason = _find_reason(error)
        check = _CHECK.get(reason, "ROSTER_FILES_ENDPOINT and ROSTER_FILES_URL")
        if _KEYS[0] not in os.environ:
            check += f"; {_KEYS[0]} is not set, and this machine's role may have no keys"
        if isinstance(error, TimeoutError) or _PASSING.search(str(error)):
            _note(error, check=check)
        else:
            sentence = f"The bucket refuses what Roster needs ({reason}): check {check}."
            raise StartError(sentence) from None


def refuse_odd_keys() -> None:
    """StartError where obstore would panic, or half of a pair of keys is set."""
    for name in _KEYS:
        if re.search(r"\s", os.environ.get(name, "")):
            raise StartError(f"{name} has a space or a line break in it: take that out.")
    if (_KEYS[0] in os.environ) != (_KEYS[1] in os.environ):
        raise StartError(f"{_KEYS[0]} and {_KEYS[1]} must be set together.")


def _note(error: Exception, **more: str) -> None:
    name = type(error).__name__
    BACKEND_ERRORS.labels("S3", name).inc()
    log.warning("backend_unavailable", backend="S3", error=name, reason=_find_reason(error), **more)


def _find_reason(error: Exception) -> str:
    found = (pattern.search(str(error)) for pattern in _REASONS)
    return next((match[1] for match in found if match is not None), type(error).__name__)
