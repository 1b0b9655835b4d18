"""Kinds of files, told by their first bytes: those that are taken as pictures, and what others are."""

import re
from typing import Final

from app.core.errors import UnsupportedPictureError

_TAKEN: Final = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|.{4}ftyp(?:.{4})*?(?:avif|avis)", re.DOTALL
)
_OTHERS: Final = (
    (rb".{4}ftyp", "The picture is HEIC, a film or the like"),
    (rb"(?:\xef\xbb\xbf)?\s*<", "SVG and other markup are no pictures here, as they may hold scripts"),
    (rb"II\*\x00|MM\x00\*|BM|\x00\x00\x01\x00|%PDF|8BPS", "The file is a TIFF, BMP, icon, PDF or the like"),
    (rb"", "The file is no picture that is known"),
)
_LOOKED_AT: Final = 64


def check(content: bytes) -> None:
    """UnsupportedPictureError says what the file is, and what to send."""
    start = content[:_LOOKED_AT]
    if _TAKEN.match(start):
        return
    what = next(text for pattern, text in _OTHERS if re.match(pattern, start, re.DOTALL))
    raise UnsupportedPictureError(f"{what}: send a JPEG, PNG, WebP, GIF or AVIF.")
