"""Estimates how likely a text is for names and addresses, to sort readings; it decides nothing."""

import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

_SAMPLE: Final = 2_000
"""Characters that are read."""
_ALIKE: Final[Mapping[str, str]] = dict.fromkeys(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"), "CJK")
_COMMON: Final[Mapping[str, range]] = {
    "cp932": range(0x81, 0x98),
    "gb18030": range(0xB0, 0xD8),
    "cp949": range(0xB0, 0xC9),
    "cp950": range(0xA4, 0xC7),
    "big5-hkscs": range(0xA4, 0xC7),
}
"""First bytes of common characters: levels 1 of JIS X 0208, GB 2312 and Big5, and Hangul."""
_CODECS: Final = {"big5-hkscs": "big5hkscs"}
_RARE: Final = 0.3


def weigh(text: str, encoding: str) -> float:
    """The strangeness of a text in this encoding, for each letter beyond ASCII; 0 is the likeliest."""
    text = text[:_SAMPLE]
    strange = sum(_weigh_pair(*pair) for pair in pairwise(f" {text}"))
    if encoding in _COMMON:
        strange += _RARE * sum(_is_rare(char, encoding) for char in text if not char.isascii())
    return strange / max(1, sum(not char.isascii() for char in text)) if text else 9.0


def _weigh_pair(before: str, char: str) -> float:
    """The strangeness of a character after another."""
    if char.isascii() and before.isascii():
        return 0
    if not char.isascii() and unicodedata.category(char)[0] not in "LM":
        return 1
    if not (before.isalpha() and char.isalpha()):
        return 0
    is_capital_within = before.islower() and char.isupper()
    if _script(before) != _script(char):
        return 1 + is_capital_within
    are_both_accented = _script(char) == "LATIN" and not before.isascii() and not char.isascii()
    return is_capital_within + _RARE * are_both_accented


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "?").partition(" ")[0]
    return _ALIKE.get(first, first)


def _is_rare(char: str, encoding: str) -> bool:
    pair = char.encode(_CODECS.get(encoding, encoding), "replace")
    return len(pair) != 2 or pair[0] not in _COMMON[encoding]  # noqa: PLR2004 - a double byte
