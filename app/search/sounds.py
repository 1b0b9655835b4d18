"""Sounds: a code that names have alike when they sound alike, or romanise the same name in different ways.

It keeps the classes of consonants in their order, and whether a vowel comes first: Catherine and Kathryn are
`KTRN`, Юрий is `JR` as Yuriy, Iurii or Jurij. Vowels are left out, since languages differ most in those, and
so do scripts that do not write them. The rules are our own: known codes are made for English (Metaphone) or
for German (Kölner Phonetik) and tell apart what a romanisation does not.

A code of few consonants is that of many words which nobody takes for each other: `seth` and `sato`, `qqqq`
and `ko`. So the letters of both words must be alike, too.
"""

import re
from functools import lru_cache

from rapidfuzz import fuzz

MARK = "*"
"""Stands before a code among the tokens of a word in the dictionary."""

_FEWEST = 2
"""The consonants that a code must have."""
_HALF = 50
"""Two words must be more alike than this: `moshe` and `mashah` are by 55, `seth` and `sato` by 50."""
_VOWELS = "aeiouy"
_RULES = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(?:kn|gn)", "n"),
        (r"^wr", "r"),
        (r"^(?:ps|x)", "s"),
        (r"^ye", "e"),
        (r"^(?:j|dzh|dj|y(?=[aiouw])|i(?=[aeou])|g(?=[eiy]))", "J"),
        (r"ght", "t"),
        (r"ch(?=[rl])", "k"),
        (r"kh|(?<=.)gh", "h"),
        (r"shch|szcz|schtsch|tsch|tch|sch|sh|ch|cz|zh|t[sz]", "s"),
        (r"c(?=[eiy])", "s"),
        (r"x", "ks"),
        (r"w(?![aei]|o(?!o))|(?<=.)j", ""),
        (r"^h", "a"),
    )
]
_CLASSES = str.maketrans("bpfvwdtgkqcszlmnr", "PPPPPTTKKKKSSLMNR", "aeiouyhj")
_REPEATED = re.compile(r"(.)\1+")


@lru_cache(maxsize=20_000)
def sound(word: str) -> str:
    """The code of a folded word; empty where it has other letters than a to z, or no consonant."""
    if not (word.isascii() and word.isalpha()):
        return ""
    begun = word
    for pattern, sounds in _RULES:
        begun = pattern.sub(sounds, begun)
    consonants = _REPEATED.sub(r"\1", begun.translate(_CLASSES))
    return "A" + consonants if begun[:1] in _VOWELS and consonants else consonants


def is_alike(word: str, other: str) -> bool:
    """Whether one may be meant by the other: they have one code, and letters that are alike."""
    code = sound(word)
    is_long = len(code.removeprefix("A")) >= _FEWEST
    return is_long and code == sound(other) and likeness(word, other) > _HALF


def likeness(word: str, other: str) -> float:
    """The share of letters that both have in the same order, in hundredths."""
    return fuzz.ratio(word, other)
