"""Plain text matching that shares nothing with the product's: what the truths are computed by."""

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from random import Random
from typing import Literal

Edit = Literal["substitution", "insertion", "deletion", "transposition"]

APOSTROPHES = "'’ʼ‘`´"
_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзийклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρστυφχψω")
_DIACRITICS = re.compile("[\u0300-\u036f]")
_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    | dict.fromkeys(APOSTROPHES, "")
)
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U000323af]")


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """Small letters of usual width without diacritics, strokes and apostrophes."""
    if text.isascii():
        return text.lower().translate(_STROKES)
    small = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    small = small.replace("и\u0306", "й")  # a letter, which nobody leaves the breve off
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", small).translate(_STROKES))


@lru_cache(maxsize=1 << 16)
def words(text: str) -> tuple[str, ...]:
    """Runs of letters, digits and the vowel signs of Indic scripts."""
    runs = groupby(fold(text), key=lambda char: unicodedata.category(char)[0] in "LNM")
    return tuple("".join(run) for is_word, run in runs if is_word)


def is_east_asian(text: str) -> bool:
    return bool(_EAST_ASIAN.search(text))


def distance(one: str, other: str) -> int:
    """Substitutions, insertions, deletions and transpositions of neighbours (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, meant in enumerate(other, 1):
            least = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != meant))
            if row > 1 < column and letter == other[column - 2] and meant == one[row - 2]:
                least = min(least, before[column - 2] + 1)
            now.append(least)
        before, last = last, now
    return last[-1]


def alphabet(word: str) -> str | None:
    """The letters of the word's script, None for a script in which no typos are made."""
    return next((letters for letters in _ALPHABETS if set(word) <= set(letters)), None)


def misspell(word: str, edit: Edit, dice: Random) -> str:
    """One edit anywhere, the first letter included; of letters that are alike it may change nothing."""
    letters = alphabet(fold(word)) or word
    place = dice.randrange(len(word))
    if edit == "insertion":
        place = dice.randrange(len(word) + 1)
        return word[:place] + dice.choice(letters) + word[place:]
    if edit == "deletion":
        return word[:place] + word[place + 1 :]
    if edit == "substitution":
        return word[:place] + dice.choice(letters) + word[place + 1 :]
    place = dice.randrange(len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
