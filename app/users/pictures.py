"""The URLs of uploaded pictures, which users have as `avatar_url`: told from those of others."""

import re
from typing import Final

from models.avatar import PATH, VERSION

_OURS: Final = re.compile(rf"(https?://[^?#]*)?{PATH}({VERSION})(?:[?#].*)?", re.IGNORECASE)


def make_url(base: str, version: str) -> str:
    """`base`: the address of this service."""
    return f"{base}{PATH}{version}"


def find_version(url: str | None) -> str | None:
    """The version in a URL that has the form of ours."""
    found = _OURS.fullmatch(url or "")
    return found and found[2]


def settle(url: str | None, stored: str | None, base: str) -> str | None:
    """What to store of a given URL: that of a picture of ours changes nothing, as pictures are uploaded.

    By the version it is known under any name of this service, also an earlier one; `stored` is what the user
    has. One of ours that is not theirs any more, as in an old export, changes nothing, either.
    """
    version = find_version(url)
    if version is None or url is None:
        return url
    is_ours = version == find_version(stored) or url.lower().startswith(f"{base.lower()}{PATH}")
    return stored if is_ours else url
