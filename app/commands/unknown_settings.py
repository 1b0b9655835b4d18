"""Names that look like settings and are none: a setting that was mistyped has its default, silently."""

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
"""Set for a service named roster, in each pod beside it."""


def tell() -> None:
    """A warning for each, with the name that may have been meant; values are never told."""
    known = [_PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(_find_all() - {*known}):
        near = find_near(name, known)
        log.warning("unknown_setting", name=name, **({"did_you_mean": near[0]} if near else {}))


def _find_all() -> set[str]:
    """In the environment and `.env`, whose case is none."""
    names = {*os.environ}
    with suppress(OSError, UnicodeDecodeError):  # which loading the settings tells of
        names |= {*dotenv_values(".env")}
    found = {name.upper() for name in names}
    return {name for name in found if name.startswith(_PREFIX) and not _OF_KUBERNETES.fullmatch(name)}
