"""Initials on a colour, drawn as SVG, for users without a picture."""

import hashlib
import unicodedata
from html import escape
from typing import Final

_COLOURS: Final = (
    "#8a3b12", "#7a4a00", "#4f6200", "#1f6b2e", "#00695c", "#00638a",
    "#1f5fbf", "#4a4fc4", "#7b3fb5", "#9c2f86", "#a8324e", "#55606e",
)  # fmt: skip
"""On each of which white text has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 64 64">'
    '<rect width="64" height="64" fill="{colour}"/>'
    '<text x="32" y="32" dy=".35em" fill="#fff" font-family="system-ui,sans-serif" font-size="26" '
    'text-anchor="middle">{initials}</text></svg>'
)


def draw(user_id: str, name: str, size: int) -> bytes:
    """The same colour for the same user, at each size."""
    place = hashlib.sha256(user_id.encode()).digest()[0] % len(_COLOURS)
    return _SVG.format(size=size, colour=_COLOURS[place], initials=escape(find(name))).encode()


def find(name: str) -> str:
    """The first letters of the first and the last word; of ideographs one, which is a family's name."""
    words = [word for word in name.split() if word[0].isalnum()] or name.split() or ["?"]
    first, last = words[0], words[-1]
    if len(words) == 1 or unicodedata.east_asian_width(first[0]) == "W":
        return _first(first)
    return _first(first) + _first(last)


def _first(word: str) -> str:
    """The first letter with the marks that belong to it, as a capital."""
    end = next((place for place in range(1, len(word)) if not unicodedata.combining(word[place])), len(word))
    return word[:end].upper()[:8]
