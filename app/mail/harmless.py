"""What others have typed, made fit for a mail that we send."""

import re
from unicodedata import bidirectional, normalize

from models.texts import visible

_LONGEST = 64
_LINK = re.compile(r"[/\\@<>|]|=\?|\w[.\u3002][^\W\d]{2,}|\d{5,}|www", re.IGNORECASE)
"""What mail programs make a link or a number to call of, and what would begin an encoded word (RFC 2047)."""
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_ISOLATE, _END = "\u2068", "\u2069"


def harmless(text: str | None) -> str | None:
    """The text on one line; None where it could carry an advertisement to whom the mail goes.

    Else anybody could register a stranger's address under a name that is a message, and have us deliver it.
    """
    line = one_line(text or "")
    return None if not line or len(line) > _LONGEST or _LINK.search(normalize("NFKC", line)) else line


def one_line(text: str) -> str:
    """The text without line breaks, and without characters that nobody could see."""
    return " ".join(visible(" ".join(text.split())).split())


def isolate(text: str) -> str:
    """So that letters from right to left do not move what stands around them (UAX 9, section 6.3)."""
    is_mixed = any(bidirectional(letter) in _RIGHT_TO_LEFT for letter in text)
    return f"{_ISOLATE}{text}{_END}" if is_mixed else text
