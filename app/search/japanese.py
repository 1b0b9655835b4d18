"""Readings of Japanese names in Latin letters: kana as they are spoken, kanji by a table of names.

`japanese_names.txt` is made by `tools.japanese_names`. A given name may be read in several ways: as names
that the table has, and as its characters are read within other names.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib import resources
from itertools import product

from anyascii import anyascii

from app.search.han import COMPOUND_SURNAMES, Reading
from app.search.words import fold

_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_HAN, _KANA = "㐀-鿿々𠀀-\U000323af", "ぁ-ゖーゝゞ"
_PART = re.compile(f"[{_HAN}{_KANA}]+")
_RUN = re.compile(f"[{_KANA}]+")
_SPOKEN = re.compile(f"[{_KANA}]")
_UNDECIDED = re.compile("[가-힣]")
_LONG = re.compile("(?:o[uo]|uu)(?![aeiou])")
_BEFORE_SMALL_Y = {"sh", "ch", "j"}
_SURNAMES, _GIVEN = 2, 3
"""The most readings of each."""
_LONGEST, _SHORT = 5, 3
"""The most characters of a name that are read one by one."""
_READINGS, _READINGS_OF_LONG = 6, 3
"""The most readings of a character that are tried."""
_SHORTEST_SURNAME, _LONGEST_SURNAME = 2, 5
"""The fewest and most characters of a surname without a space after it: with one, more names are Chinese."""


def romaji(kana: str) -> tuple[str, ...]:
    """The spellings of kana: with long vowels short, as people write names, and letter by letter."""
    spelled = _romaji(_hiragana(kana))
    return tuple(dict.fromkeys(filter(None, (_LONG.sub(lambda match: match[0][0], spelled), spelled))))


def spoken(text: str) -> list[str]:
    """The runs of kana in a text."""
    return _RUN.findall(_hiragana(text))


@lru_cache(maxsize=20_000)
def read(name: str) -> Reading | None:
    """The readings of a whole name; None where it has no kana and is no Japanese surname and given name."""
    text = _hiragana(name)
    parts = _PART.findall(text)
    if not parts or _UNDECIDED.search(text):
        return None
    family, given = (parts[0], "".join(parts[1:])) if len(parts) > 1 else _cut(parts[0])
    surnames, called = _as_surname(family), _spelled(_as_given(given))
    if not _SPOKEN.search(text) and (not surnames or bool(given) > bool(called) or not _is_japanese(text)):
        return None
    surname = _spelled(surnames or _as_given(family))
    whole = tuple(one + other for one, other in product(surname[:1], called[:1]))
    return Reading(surname, called, whole, (), ())


def _is_japanese(text: str) -> bool:
    """Whether Japanese has the characters: not those that China has simplified in its own way."""
    try:
        text.replace("𠮷", "吉").encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _hiragana(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_HIRAGANA)


def _spelled(readings: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelling for kana in readings for spelling in romaji(kana)))


def _romaji(hiragana: str) -> str:
    spoken: list[str] = []
    for char in hiragana:
        latin = anyascii(char)
        last = spoken[-1] if spoken else ""
        if char in "ゃゅょ" and last.endswith("i"):
            spoken[-1] = last[:-1] + latin[-1 if last[:-1] in _BEFORE_SMALL_Y else 0 :]
        elif char in "ぁぃぅぇぉ" and len(last) > 1:
            spoken[-1] = last[:-1] + latin
        elif char == "っ":
            spoken.append("っ")
        elif latin.isalpha():
            spoken.append(latin)
    return re.sub("っ(.?)", r"\1\1", "".join(spoken)).replace("cch", "tch")


def _cut(run: str) -> tuple[str, str]:
    """Surname and given name of a name without a space."""
    ends = [
        end for end in range(_SHORTEST_SURNAME, min(len(run), _LONGEST_SURNAME + 1)) if _as_surname(run[:end])
    ]
    end = min(ends, key=lambda end: abs(end - _SHORTEST_SURNAME), default=len(run))
    return run[:end], run[end:]


def _as_surname(part: str) -> list[str]:
    if _RUN.fullmatch(part):
        return [part]
    return _entry(fold(part))[0][:_SURNAMES] if fold(part) not in COMPOUND_SURNAMES else []


def _as_given(part: str) -> list[str]:
    if not part or _RUN.fullmatch(part):
        return [part] if part else []
    return list(dict.fromkeys([*_entry(fold(part))[1], *compose(part)]))[:_GIVEN]


def compose(part: str) -> list[str]:
    """The likeliest readings of a name, character by character."""
    return combine([[char] if _RUN.match(char) else _entry(fold(char))[2] for char in part[:_LONGEST]])


def combine(ways: Sequence[Sequence[str]]) -> list[str]:
    """The likeliest readings of a name of characters, each with its readings."""
    most = _READINGS if len(ways) <= _SHORT else _READINGS_OF_LONG
    some = (enumerate(way[:most]) for way in ways)
    ranked = sorted(product(*some), key=lambda chosen: sum(rank for rank, _ in chosen))
    return ["".join(kana for _, kana in chosen) for chosen in ranked[:_GIVEN]]


@lru_cache(maxsize=20_000)
def _entry(name: str) -> tuple[list[str], list[str], list[str]]:
    """The readings of a folded name as surname, as given name, and within given names."""
    table, wanted = _table(), f"{name}\t".encode()

    def start(place: int) -> int:
        return table.rfind(b"\n", 0, place + 1) + 1

    found = bisect_left(
        range(len(table)), wanted, key=lambda place: table[start(place) : start(place) + len(wanted)]
    )
    rest = start(found) + len(wanted)
    if table[start(found) : rest] != wanted:
        return [], [], []
    line = table[rest : table.find(b"\n", rest)].decode()
    surname, given, within, *_ = *line.split("\t"), "", "", ""
    return surname.split(), given.split(), within.split()


@cache
def _table() -> bytes:
    """Lines in the order of names; kept as bytes, since most processes ask for few of them."""
    return (resources.files(__package__) / "japanese_names.txt").read_bytes()
