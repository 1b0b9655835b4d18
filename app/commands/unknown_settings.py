"""Warns of names that look like settings: a mistyped setting would silently keep its default."""

import os
import re
from contextlib import suppress

import structlog
from dotenv import dotenv_values

from app.core.near_names import find_near
from app.core.settings import Settings

log = structlog.get_logger("roster.start")

_PREFIX = "ROSTER_"
_OF_KUBERNETES = re.compile(r"ROSTER_(SERVICE_(HOST|PORT)|PORT_[0-9]+_).*")
"""Variables that Kubernetes sets in each pod for a service named roster."""
_REMOVED = {
    "ROSTER_CURSOR_TTL_S",
    "ROSTER_IMPORTS_AT_ONCE",
    "ROSTER_LISTENERS_AT_ONCE",
    "ROSTER_LOG_FILES_KEPT",
    "ROSTER_LOG_FILE_BYTES",
    "ROSTER_PASSWORD_QUEUE",
}
"""Settings of earlier releases that are constants now."""


def tell() -> None:
    """Warn of each name, with the setting that was probably meant; never with values."""
    known = [_PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(_find_all() - {*known}):
        if name in _REMOVED:
            log.warning("removed_setting", name=name)
            continue
        near = find_near(name, known)
        log.warning("unknown_setting", name=name, **({"did_you_mean": near[0]} if near else {}))


def _find_all() -> set[str]:
    """Names in the environment and `.env`, in upper case."""
    names = {*os.environ}
    with suppress(OSError, UnicodeDecodeError):  # which loading the settings reports
        names |= {*dotenv_values(".env")}
    found = {name.upper() for name in names}
    return {name for name in found if name.startswith(_PREFIX) and not _OF_KUBERNETES.fullmatch(name)}
