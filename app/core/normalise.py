"""The canonical forms under which values are compared, kept unique and sorted."""

import re
import unicodedata

import idna
from pypinyin import lazy_pinyin

from models.letters import INVISIBLE
from models.texts import trim

NAME_KEY_LENGTH = 128
"""Characters of a name that take part in sorting; names that are alike so far are sorted by id."""

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]+")
_SPACES = re.compile(r"\s+")
_ACCENT_CLASSES = frozenset({8, *range(10, 36), *range(200, 241)})
"""Combining classes of kana voicing, Hebrew and Arabic points, and the accents over and under letters.

Marks of other classes are vowels and tones of Indic and Thai scripts: without them the words are others.
"""
ACCENTS = {code: None for code in range(0x20000) if unicodedata.combining(chr(code)) in _ACCENT_CLASSES}
"""For `str.translate`: takes the accents off text in NFD. Beyond are ideographs and tags, which have none."""
STROKED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""For `str.translate`: letters that no Unicode normal form decomposes."""
SURNAME_READINGS = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "查": "zha", "朴": "piao", "区": "ou", "任": "ren",
    "盖": "ge", "覃": "qin", "冼": "xian", "翟": "zhai", "乐": "yue", "缪": "miao", "华": "hua", "召": "shao",
}  # fmt: skip
"""Characters whose reading as a surname differs from that in common words."""


def canonical(text: str) -> str:
    """NFKC, casefold, trimmed (Unicode 16, section 3.13, D145 without the ignorables, which are refused)."""
    if text.isascii():
        return _SPACES.sub(" ", text.strip()).lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", trim(text)).casefold())
    return _SPACES.sub(" ", folded.strip())


def email_key(email: str) -> str:
    """One key for every spelling of an address; the domain as its ASCII form (UTS 46).

    Casefolding would take faß.de for fass.de, which is another domain: only the local part is folded.
    """
    local, _, domain = unicodedata.normalize("NFKC", trim(email)).rpartition("@")
    ascii_domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    return f"{canonical(local)}@{ascii_domain}"


def typed_email_key(text: str) -> str:
    """The key of a text that may be an e-mail address; of other text, a key that nobody has."""
    try:
        return email_key(text)
    except UnicodeError:
        return canonical(text)


def name_key(name: str) -> str:
    """Sort key: accents and case ignored, Chinese characters by their pinyin, surname first."""
    if name.isascii():
        return _SPACES.sub(" ", name[: 2 * NAME_KEY_LENGTH].strip()).lower()[:NAME_KEY_LENGTH]
    folded = canonical(INVISIBLE.sub("", name[: 2 * NAME_KEY_LENGTH]))
    if _HAN.search(folded):
        folded = _HAN.sub(lambda match: f" {_pinyin(match[0], surname=match.start() == 0)} ", folded)
    plain = unicodedata.normalize("NFD", folded).translate(ACCENTS).translate(STROKED)
    plain = unicodedata.normalize("NFC", plain)
    return _SPACES.sub(" ", plain.strip())[:NAME_KEY_LENGTH]


def _pinyin(characters: str, *, surname: bool) -> str:
    syllables = lazy_pinyin(characters)
    if surname and characters[0] in SURNAME_READINGS:
        syllables = [SURNAME_READINGS[characters[0]], *lazy_pinyin(characters[1:])]
    return " ".join(syllables)


def facet(kind: str, value: object) -> str:
    """One entry of a user's `facets`, by which equality filters find the user: `city:berlin`."""
    if isinstance(value, bool):
        return f"{kind}:{'true' if value else 'false'}"
    return f"{kind}:{canonical(str(value))}"
