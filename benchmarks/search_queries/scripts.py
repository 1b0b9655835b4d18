"""Queries in Latin letters for names of other scripts, in a usual romanisation that may not be the e-mail's.

Also initial consonants for Korean names, half-width kana, and names typed in another layout of the keyboard.
"""

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from random import Random

from app.commands import sample_names
from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query

_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_RUSSIAN = (
    "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y _ e iu ia",  # passports
    "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya",  # maps
    "a b v g d e jo zh z i j k l m n o p r s t u f h c ch sh sch _ y _ e ju ja",  # scholars, loosely
)
_GREEK_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
_GREEK = (
    "a v g d e z i th i k l m n x o p r s t y f ch ps o",
    "a b g d e z i th i k l m n x o p r s t i ph h ps o",
)
_GREEK_DIGRAPHS = {"ου": "ou", "αυ": "av", "ευ": "ev", "γγ": "ng", "γκ": "gk", "μπ": "b", "ντ": "nt"}
_KUNREI = {
    "shi": "si",
    "chi": "ti",
    "tsu": "tu",
    "fu": "hu",
    "ji": "zi",
    "sho": "syo",
    "shu": "syu",
    "sha": "sya",
}
_KOREAN = {"joon": "jun", "woo": "u", "hyun": "hyeon", "young": "yeong", "jung": "jeong", "soo": "su"}
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_QWERTY, _JCUKEN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё"
_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_VOICED = {"\u3099": "\uff9e", "\u309a": "\uff9f"}
_HALF_WIDTH = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF66, 0xFF9E)}

Spell = Callable[[str, Random], str]


@cache
def _spelled(locale: str) -> Mapping[str, str]:
    """The Latin spelling that the sample's e-mails have of each native word."""
    places = [place for place in sample_names.places() if place.locale == locale]
    words = (word.split("/") for place in places for word in (*place.given, *place.family))
    return dict(words)


def _halves(person: Person, locale: str) -> list[str]:
    """Given name and surname, if both are of the place."""
    known = _spelled(locale)
    name = person.name
    ways = [name.split(" ")] if " " in name else [[name[:at], name[at:]] for at in range(1, len(name))]
    return next((way for way in ways if len(way) == 2 and all(half in known for half in way)), [])


def _same(typed: str, locale: str, directory: Directory, person: Person) -> Query | None:
    """Right are all whose name has the same spelling in the sample."""
    known = _spelled(locale)
    meant = sorted(known[half] for half in _halves(person, locale))
    names = directory.those_named(
        lambda name: sorted(known.get(half, "") for half in name.split(" ")) == meant or name == person.name
    )
    return query(typed, names) if typed else None


def _romanised(locale: str, spell: Spell) -> Callable[[Person, Directory, Random], Query | None]:
    def make(person: Person, directory: Directory, dice: Random) -> Query | None:
        halves = _halves(person, locale)
        if not halves:
            return None
        typed = [spell(half, dice) for half in dice.sample(halves, 2)]
        return _same(" ".join(typed), locale, directory, person)

    return make


def _by_letters(word: str, letters: str, spelled: str) -> str:
    table = dict(zip(letters, spelled.replace("_", "").split(" "), strict=True))
    return "".join(table.get(letter, letter) for letter in word)


def _russian(word: str, dice: Random) -> str:
    return _by_letters(word.lower(), _CYRILLIC, dice.choice(_RUSSIAN))


def _greek(word: str, dice: Random) -> str:
    plain = "".join(
        letter for letter in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(letter)
    )
    plain = plain.replace("ς", "σ")
    for digraph, latin in _GREEK_DIGRAPHS.items():
        plain = plain.replace(digraph, latin)
    return _by_letters(plain, _GREEK_LETTERS, dice.choice(_GREEK))


def _kanji(word: str, _: Random) -> str:
    return _spelled("ja-JP")[word]


def _japanese(word: str, dice: Random) -> str:
    latin = _spelled("ja-JP")[word]
    for hepburn, kunrei in _KUNREI.items() if dice.random() < 0.5 else ():
        latin = latin.replace(hepburn, kunrei)
    return latin


def _korean(word: str, dice: Random) -> str:
    latin = _spelled("ko-KR")[word]
    for usual, revised in _KOREAN.items() if dice.random() < 0.5 else ():
        latin = latin.replace(usual, revised)
    return latin


def _as_written(locale: str) -> Spell:
    return lambda word, _: _spelled(locale)[word]


def kana_given_name(person: Person, directory: Directory, dice: Random) -> Query | None:
    """The surname in kanji and the given name, which is kana, by their sound."""
    halves = _halves(person, "ja-JP")
    if not halves or not _is_kana(halves[1]):
        return None
    typed = [_japanese(half, dice) for half in dice.sample(halves, 2)]
    return _same(" ".join(typed), "ja-JP", directory, person)


def half_width(person: Person, directory: Directory, dice: Random) -> Query | None:
    halves = _halves(person, "ja-JP")
    if not halves or not _is_kana(halves[1]):
        return None
    wide = unicodedata.normalize("NFD", halves[1].translate(_KATAKANA))
    narrow = "".join(_HALF_WIDTH.get(char, _VOICED.get(char, char)) for char in wide)
    typed = " ".join(dice.sample([halves[0], narrow], 2))
    return query(typed, directory.those_named(lambda name: name == person.name))


def _is_kana(text: str) -> bool:
    return all("\u3041" <= char <= "\u30ff" for char in text)


def initials(person: Person, directory: Directory, _: Random) -> Query | None:
    if not _halves(person, "ko-KR"):
        return None
    typed = _initials(person.name)
    return query(typed, directory.those_named(lambda name: _initials(name) == typed))


def _initials(name: str) -> str:
    if not all("가" <= char <= "힣" for char in name):
        return ""
    return "".join(_INITIALS[(ord(char) - 0xAC00) // 588] for char in name)


def other_layout(person: Person, directory: Directory, _: Random) -> Query | None:
    if not _halves(person, "ru-RU"):
        return None
    typed = person.name.lower().translate(str.maketrans(_JCUKEN, _QWERTY))
    return query(typed, directory.named(*person.words))


KINDS = (
    Kind("Cyrillic", "Cyrillic in three romanisations", _romanised("ru-RU", _russian)),
    Kind("Greek", "Greek in two romanisations", _romanised("el-GR", _greek)),
    Kind("kana", "a given name in kana by its sound", kana_given_name),
    Kind("kana", "half-width kana", half_width),
    Kind("kanji", "kanji by their reading", _romanised("ja-JP", _kanji)),
    Kind("Hangul", "Hangul as people spell their names", _romanised("ko-KR", _korean)),
    Kind("Hangul", "initial consonants", initials),
    Kind("other scripts", "Arabic", _romanised("ar-EG", _as_written("ar-EG"))),
    Kind("other scripts", "Hebrew", _romanised("he-IL", _as_written("he-IL"))),
    Kind("other scripts", "Devanagari", _romanised("hi-IN", _as_written("hi-IN"))),
    Kind("keyboards", "Cyrillic in the Latin layout", other_layout),
)
