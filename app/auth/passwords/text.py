"""The one form of a password that is measured and hashed, whatever the keyboard sent."""

import re
import unicodedata

_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""The category Zs without the ASCII space."""


def prepare(password: str) -> str:
    """The OpaqueString profile (RFC 8265, section 4.2): ASCII spaces, NFC, case kept.

    Characters that the profile forbids stay: the policy refuses them, and a sign-in with them fails.
    """
    if password.isascii():
        return password
    return unicodedata.normalize("NFC", _SPACES.sub(" ", password))


def find_spellings(password: str) -> list[str]:
    """The texts that a hash may be of: the prepared one, or the raw one in other software."""
    return list(dict.fromkeys((prepare(password), password)))


def encode(password: str) -> bytes:
    """UTF-8; a lone surrogate gives bytes of no valid text, which match nothing."""
    return password.encode("utf-8", "surrogatepass")
