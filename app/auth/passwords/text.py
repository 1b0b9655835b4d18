"""The one form of a password that is measured and hashed, however a keyboard composed it."""

import re
import unicodedata

_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""The category Zs without the ASCII space."""


def prepare(password: str) -> str:
    """The OpaqueString profile (RFC 8265, section 4.2): every space the ASCII one, NFC, case kept.

    What the profile forbids is left in: the policy refuses it, and a sign-in with it only fails.
    """
    if password.isascii():
        return password
    return unicodedata.normalize("NFC", _SPACES.sub(" ", password))


def find_spellings(password: str) -> list[str]:
    """What a hash may have been made of: the prepared text, or the raw one where other software made it."""
    return list(dict.fromkeys((prepare(password), password)))


def encode(password: str) -> bytes:
    """UTF-8; a lone surrogate gives bytes that no text gives: it matches nothing and raises nothing."""
    return password.encode("utf-8", "surrogatepass")
