"""Text as search sees it: folded and cut into words, alike for stored and for typed text."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from app.core.normalise import ACCENTS, STROKED
from app.search.characters import ARABIC, SIMPLIFIED
from models.letters import INVISIBLE

Script = Literal["", "han", "kana", "hangul"]
"""The script of a word; "" for all scripts that put spaces between words."""

LONGEST_WORD = 32
"""Characters of a word that count; longer words are cut, stored or typed."""
LONGEST_RUN = 16
"""Characters of a run of Han, kana or Hangul that are indexed."""

_APOSTROPHES = frozenset("'`´ʹʻʼʽʾʿˈ׳՚‘’‛′‵＇｀ꞌ")
"""Quotation marks, primes and modifier letters used as apostrophes; they join the letters around them."""
_HIRAGANA = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_HAN = "々〇〡-〩㐀-鿿\U00020000-\U000323af"
_KANA = "ぁ-ゖゝ-ゟァ-ヺー-ヿㇰ-ㇿ\U0001b000-\U0001b16f"
_HANGUL = "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"
_INITIALS = re.compile("[\u1100-\u1112]+")
_FIRST_OF_THESE = "\u1100"
_RUN = re.compile(f"[{_HAN}]+|[{_KANA}]+|[{_HANGUL}]+|[^ {_HAN}{_KANA}{_HANGUL}]+")
_SCRIPT = re.compile(f"(?P<han>[{_HAN}])|(?P<kana>[{_KANA}])|(?P<hangul>[{_HANGUL}])")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_REMEMBERED = 20_000
"""Characters whose pieces are cached: more than any directory uses, and few enough for memory."""


@dataclass(frozen=True, slots=True)
class Word:
    """`text` is folded; `start` and `end` are a range of code points of the text that it was cut from.

    The range includes the accents and the apostrophes of the word. Two words may share one character: the
    numbers of a fraction, for example.
    """

    text: str
    start: int
    end: int


class _Pieces(dict[int, str | None]):
    """A table for `str.translate` that computes each character's replacement when it is first used."""

    def __init__(self, piece: Callable[[str], str]) -> None:
        super().__init__()
        self._piece = piece

    def __missing__(self, code: int) -> str | None:
        piece = self._piece(chr(code)) or None  # None keeps str.translate on its fast path for ASCII
        if len(self) < _REMEMBERED:
            self[code] = piece
        return piece


def _fold(char: str) -> str:
    if INVISIBLE.match(char) or unicodedata.category(char) == "Cs":
        return ""
    taken_apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    plain = taken_apart.translate(ACCENTS).translate(STROKED).translate(_HIRAGANA)
    plain = plain.translate(SIMPLIFIED).translate(ARABIC)
    return "".join(str(unicodedata.decimal(each, each)) for each in plain)


def _keep(char: str) -> str:
    """The letters, digits and vowel marks of a folded character; a space for any separator."""
    if char in _APOSTROPHES or unicodedata.category(char) == "Me":
        return ""
    return "".join(each if each.isalnum() or _is_mark(each) else " " for each in _fold(char))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Mc"}


_FOLDED = _Pieces(_fold)
_KEPT = _Pieces(_keep)


def fold(text: str) -> str:
    """The folded text: NFKC, casefolded, without accents, voicing marks, strokes and invisible characters.

    Kana become hiragana, Han simplified, Persian letters Arabic, digits of every script ASCII. Texts that
    fold alike are the same for search.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_FOLDED))


def split(text: str) -> list[Word]:
    """The words in order. Han, kana and Hangul form runs of their own; other letters and digits mix."""
    pieces = [_KEPT[ord(char)] or "" for char in text]
    origin = [index for index, piece in enumerate(pieces) for _ in piece]
    found = []
    for match in _RUN.finditer("".join(pieces)):
        end = origin[match.end() - 1] + 1
        while end < len(text) and not pieces[end] and _is_mark(unicodedata.normalize("NFKD", text[end])[0]):
            end += 1
        found.append(Word(unicodedata.normalize("NFC", match[0]), origin[match.start()], end))
    return found


def texts(text: str) -> list[str]:
    """The texts of `split` without their places, many times as fast."""
    kept = text.translate(_KEPT)
    if kept.isascii():
        return kept.split()
    kept = unicodedata.normalize("NFC", kept)
    return _RUN.findall(kept) if max(kept) >= _FIRST_OF_THESE else kept.split()


def cut(words: Iterable[str]) -> list[str]:
    """The words, cut to the longest length."""
    return [word[:LONGEST_WORD] for word in words]


def spelled_out(text: str) -> list[str]:
    """The words of `texts` with umlauts as two letters (`mueller`); empty where there are none."""
    if text.isascii():
        return []
    composed = unicodedata.normalize("NFC", text).lower()
    spelled = composed.translate(_UMLAUTS)
    return texts(spelled) if spelled != composed else []


def script(word: str) -> Script:
    """The script of a word of `split`. Initial consonants that stand for Korean syllables are a word."""
    if word[0] < _FIRST_OF_THESE or _INITIALS.fullmatch(word):
        return ""
    match = _SCRIPT.match(word)
    return match.lastgroup if match else ""  # type: ignore[return-value]  # the groups are named after scripts


def runs(words: Iterable[str]) -> list[str]:
    """The Han, kana and Hangul of a field, also joined: 田中拓也 should find 田中 拓也."""
    joined = ((kind, "".join(group)) for kind, group in groupby(words, key=script))
    return [run for kind, run in joined if kind]
