"""Characters allowed in identifiers of people: none invisible, none that look like others."""

import re
import unicodedata

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point: zero-width characters, bidi controls, fillers, variation selectors."""

_IDENTIFIER = frozenset({"Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd"})
"""Letters, marks and digits: the IdentifierClass of PRECIS (RFC 8264, section 9) beyond ASCII."""

_LOOK_ALIKES = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC"})
"""Scripts that share shapes (UTS 39, section 5.2): a word takes its letters from at most one of them."""


def is_identifier(text: str, *, punctuation: str) -> bool:
    """Whether `text` (in NFKC) has only visible letters, marks, digits and `punctuation`."""
    if text.isascii():
        return all(char.isalnum() or char in punctuation for char in text)
    return not INVISIBLE.search(text) and all(
        char in punctuation or unicodedata.category(char) in _IDENTIFIER for char in text
    )


def mixes_look_alikes(text: str) -> bool:
    """Whether a word mixes letters of two scripts that share shapes: `аdmin` with a Cyrillic `а`."""
    if text.isascii():
        return False
    return len({_script(char) for char in text if char.isalpha()} & _LOOK_ALIKES) > 1


def _script(letter: str) -> str:
    """The script of a letter: the first word of its name, as unicodedata has no scripts."""
    return unicodedata.name(letter, "").partition(" ")[0]
