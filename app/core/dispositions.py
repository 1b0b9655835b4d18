"""Content-Disposition: the name under which a browser saves a download."""

import re
from typing import Final
from urllib.parse import quote

_UNSAFE: Final = re.compile(r"[^ !#$&-\[\]-~]")
"""What a quoted name had better not have (RFC 6266, appendix D)."""


def attach(name: str) -> str:
    """A download of this name (RFC 6266); one that is not plain ASCII also in the form of RFC 8187."""
    plain = _UNSAFE.sub("_", " ".join(name.split()))  # as S3 signs a header's value
    disposition = f'attachment; filename="{plain}"'
    return disposition if plain == name else f"{disposition}; filename*=UTF-8''{quote(name, safe='')}"
