"""Latin spellings of other alphabets: Cyrillic, Greek, Georgian, Armenian, Arabic, Hebrew, Indic, Thai.

anyascii has the letters of all scripts. The tables here hold what it leaves out or takes letter by letter:
digraphs, letters that begin a word, vowels that are not written, or written as consonants. One or two
spellings of a word are enough where others differ by a letter, or sound alike (`sounds`).
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

_WORD = re.compile(
    "[\u0370-\u052f\u1c80-\u1c8f\u1f00-\u1fff\u2de0-\u2dff\ua640-\ua69f]+"  # Greek, Cyrillic
    "|[\u0530-\u058f\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f]+"  # Armenian, Georgian
    "|[\u0590-\u08ff\u200c\ufb1d-\ufdff\ufe70-\ufefc]+"  # Hebrew, Arabic; words may have a joiner inside
    "|[\u0900-\u109f\u1200-\u1c7f\ua880-\ua8ff\uaa80-\uabff]+"  # India, Thailand and others
)
_STRESS = re.compile("[\u0300\u0301\u0313\u0314\u0342\u0345]")
"""Accents of Greek and stress marks, but not the dots of ϊ, which is no part of a digraph, nor of й and ё."""
_DIGRAPHS = {
    "ου": "ou", "αυ": "av", "ευ": "ev", "γγ": "ng", "γχ": "nch", "γξ": "nx", "ը": "y", "ու": "u", "և": "ev",
    "ї": "yi", "є": "ye", "ґ": "g", "सिंह": "singh", "श": "sh", "ष": "sh", "च": "ch", "छ": "chh",
}  # fmt: skip
_BEGINNINGS = {"μπ": "b", "ντ": "d", "γκ": "g", "ё": "e"}
_WRITTEN = re.compile(
    "|".join((*(f"^{beginning}" for beginning in _BEGINNINGS), *sorted(_DIGRAPHS, key=len, reverse=True)))
)
_INHERENT = re.compile("([\u0915-\u0939])(?=[\u0900-\u093b])")
"""A consonant of Devanagari that is spoken with an a: neither a vowel nor a virama follows, nor the end."""
_ANUSVARA = "\u0902"
_THAI_BEFORE = re.compile("([\u0e40-\u0e44])([\u0e01-\u0e2e])")
"""A vowel that is written before the consonant after which it is spoken."""

_ABJAD = re.compile("[\u0590-\u08ff]")
_LETTERS = dict(zip("اأإآٱعىةءאעחכךצץש", [*"aaiaaaaa", "", *"aahkk", "tz", "tz", "sh"], strict=True))
_HALF_VOWELS = {"و": ("w", "u"), "ي": ("y", "i"), "ی": ("y", "i"), "י": ("y", "i"), "ו": ("v", "o")}
"""Letters that are consonants where a word or syllable begins, and vowels elsewhere."""
_VAV, _LONG_A = "ו", frozenset("اآىةא")
_BEGUN = {"ב": "b", "פ": "p"}
_ARTICLE, _SHORTEST_WITH_ARTICLE = "ال", 5
_CONSONANTS = frozenset("bcdfghjklmnpqrstvwxyz")
_NOT_A_LETTER = re.compile("[^a-z]+")


def spellings(text: str) -> list[tuple[str, ...]]:
    """The spellings of each word of these alphabets, the most usual first, in small letters."""
    return [found for word in _WORD.findall(_plain(text)) if (found := _spell(word))]


def _plain(text: str) -> str:
    taken_apart = unicodedata.normalize("NFKD", text).lower()
    return unicodedata.normalize("NFC", _STRESS.sub("", taken_apart))


@lru_cache(maxsize=20_000)
def _spell(word: str) -> tuple[str, ...]:
    if word.startswith(_ARTICLE) and len(word) >= _SHORTEST_WITH_ARTICLE:
        called = _voiced(word.removeprefix(_ARTICLE))
        return "al" + called, called
    ways = [_voiced(word) if _ABJAD.match(word) else _latin(word)]
    if _VAV in word[1:]:
        ways.append(_voiced(word, vowels=False))
    if word.startswith("ё"):
        ways.append(_latin("йо" + word[1:]))
    return tuple(dict.fromkeys(filter(None, ways)))


def _latin(word: str) -> str:
    plain = _INHERENT.sub(r"\1a", _THAI_BEFORE.sub(r"\2\1", word))
    plain = _WRITTEN.sub(lambda match: _BEGINNINGS.get(match[0]) or _DIGRAPHS[match[0]], plain)
    return _NOT_A_LETTER.sub("", anyascii(plain.replace(_ANUSVARA, "n")).lower())


def _voiced(word: str, *, vowels: bool = True) -> str:
    """A word of Arabic or Hebrew letters with an a between consonants; a vav is no vowel without `vowels`."""
    spoken = ""
    for at, letter in enumerate(word):
        latin = _NOT_A_LETTER.sub("", _LETTERS.get(letter, anyascii(letter)).lower())
        if letter in _HALF_VOWELS and (vowels or letter != _VAV):
            follows = word[at + 1 : at + 2]
            is_vowel = spoken[-1:] in _CONSONANTS and follows not in _LONG_A
            latin = _HALF_VOWELS[letter][bool(spoken) and is_vowel]
        if not spoken:
            latin = _BEGUN.get(letter, latin)
        if spoken[-1:] in _CONSONANTS and latin[:1] in _CONSONANTS:
            spoken += "a"
        spoken += latin
    return spoken
