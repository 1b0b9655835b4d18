"""Queries by some characters of a Chinese, Japanese or Korean name, and by the pinyin of a Chinese one."""

import re
from collections.abc import Iterable
from functools import cache
from random import Random

from app.commands import sample_names
from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query

_HAN = re.compile("[\u3400-\u9fff\U00020000-\U000323af々]+")
_HANGUL = re.compile("[\uac00-\ud7af]+")
_KANA = re.compile("[\u3040-\u30ff]")
_SYLLABLE = re.compile("(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?[aeiouv]{1,3}(?:ng|n|r)?")
_VARIANTS = dict(
    zip("陳黃張吳劉楊許鄭謝賴歐陽詩麗華齋邊髙𠮷澤", "陈黄张吴刘杨许郑谢赖欧阳诗丽华斎辺高吉沢", strict=True)
)
"""Characters of the sample that are the same name in another form: traditional, or Japanese by family."""
_SIMPLIFIED = str.maketrans(_VARIANTS)
_TRADITIONAL = {ord(plain): other for other, plain in list(_VARIANTS.items())[:15]}
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_KATAKANA = {code - 0x60: code for code in range(0x30A1, 0x30F7)}


def _written(typed: str, directory: Directory, *, as_they_are: bool = True) -> Query | None:
    """Right are people who have the characters in a row; a space within the name is none.

    Nobody may have them in another form, unless that is what the query is about.
    """
    plain = _plain(typed)
    if any(plain in _plain(text) for text in directory.other_texts):
        return None
    found = [name for name in directory.by_east_asian_name if plain in _plain(name)]
    if as_they_are and any(typed not in name.replace(" ", "") for name in found):
        return None
    return query(typed, {which for name in found for which in directory.by_name[name]})


@cache
def _plain(text: str) -> str:
    return text.replace(" ", "").translate(_SIMPLIFIED).translate(_HIRAGANA)


def _substring(text: str, dice: Random) -> str:
    start = dice.randrange(len(text) - 1)
    return text[start : dice.randrange(start + 2, len(text) + 1)]


def chinese(person: Person, directory: Directory, dice: Random) -> Query | None:
    if not _HAN.fullmatch(person.name):
        return None
    return _written(_substring(person.name, dice), directory)


def japanese(person: Person, directory: Directory, dice: Random) -> Query | None:
    """Of the surname, or of the given name."""
    halves = [half for half in _japanese(person) if len(half) > 1]
    return _written(_substring(dice.choice(halves), dice), directory) if halves else None


def across_the_space(person: Person, directory: Directory, dice: Random) -> Query | None:
    """Of surname and given name without the space between them, as most people type them."""
    halves = _japanese(person)
    if not halves:
        return None
    family, given = halves
    start, end = dice.randrange(len(family)), dice.randrange(1, len(given) + 1)
    return _written(family[start:] + given[:end], directory)


def korean(person: Person, directory: Directory, dice: Random) -> Query | None:
    if not _HANGUL.fullmatch(person.name) or len(person.name) < 2:
        return None
    return _written(_substring(person.name, dice), directory)


def other_form(person: Person, directory: Directory, dice: Random) -> Query | None:
    """Traditional characters typed simplified and the other way, hiragana typed as katakana."""
    name = person.name.replace(" ", "")
    if _KANA.search(name):
        typed = name.translate(dice.choice([_KATAKANA, _HIRAGANA]))
    elif _HAN.fullmatch(name) and not _japanese(person):
        typed = name.translate(dice.choice([_TRADITIONAL, _SIMPLIFIED]))
    else:
        return None
    return _written(typed, directory, as_they_are=False) if typed != name else None


def _japanese(person: Person) -> list[str]:
    """Surname and given name."""
    halves = person.name.split()
    is_japanese = len(halves) == 2 and all(_HAN.match(half) or _KANA.match(half) for half in halves)
    return halves if is_japanese else []


@cache
def _readings() -> tuple[dict[str, str], dict[str, str]]:
    """The Latin spellings of Chinese surnames and given names that the sample's e-mails use."""
    chinese = [place for place in sample_names.places() if place.locale.startswith("zh-")]
    family = (word.split("/") for place in chinese for word in place.family)
    given = (word.split("/") for place in chinese for word in place.given)
    return _pairs(family), _pairs(given)


def _pairs(words: Iterable[list[str]]) -> dict[str, str]:
    return {native: latin for native, latin in words}  # noqa: C416  # dict() would take lists of any length


@cache
def _syllables(name: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Of surname and given name; None for a name that is not Chinese, or that can be read in two ways."""
    family, given = _chinese(name)
    if not given:
        return None
    families, givens = _readings()
    cut = [_cut(families[family], len(family)), _cut(givens[given], len(given))]
    return (cut[0][0], cut[1][0]) if all(len(ways) == 1 for ways in cut) else None


def _chinese(name: str) -> tuple[str, str]:
    """Surname and given name, empty if it is not made of both; a surname of two characters goes first."""
    families, givens = _readings()
    halves = ((name[:length], name[length:]) for length in (2, 1))
    return next((half for half in halves if half[0] in families and half[1] in givens), ("", ""))


def _cut(latin: str, count: int) -> list[tuple[str, ...]]:
    """All ways to cut into so many syllables."""
    if count == 1:
        return [(latin,)] if _SYLLABLE.fullmatch(latin) else []
    return [
        (latin[:end], *rest)
        for end in range(1, len(latin))
        if _SYLLABLE.fullmatch(latin[:end])
        for rest in _cut(latin[end:], count - 1)
    ]


def _read(directory: Directory, *, asked: str, form: str) -> set[int]:
    """People whose Chinese name reads so; `form` is the names' under one of `_FORMS`."""
    names = directory.by_east_asian_name
    found = ((name, _syllables(name)) for name in names)
    return {which for name, cut in found if cut and _form(*cut, form) == asked for which in names[name]}


def _form(family: tuple[str, ...], given: tuple[str, ...], form: str) -> str:
    if form == "initials":
        return "".join(syllable[0] for syllable in (*family, *given))
    if form == "surname and given name":
        return f"{''.join(family)} {''.join(given)}"
    return ("" if form == "whole" else " ").join((*family, *given))


def _pinyin(form: str) -> Kind:
    def make(person: Person, directory: Directory, _: Random) -> Query | None:
        cut = _syllables(person.name)
        if not cut:
            return None
        typed = _form(*cut, form)
        right = _read(directory, asked=typed, form=form)
        return None if directory.anywhere(*typed.split()) - right else query(typed, right)

    return Kind("pinyin", f"pinyin, {form}", make)


def _initials(person: Person, directory: Directory) -> tuple[str, set[int]] | None:
    cut = _syllables(person.name)
    if not cut:
        return None
    typed = _form(*cut, "initials")
    return typed, _read(directory, asked=typed, form="initials")


def initials_and_city(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`zxm 北京`, `zxm` with `city=北京`."""
    found = _initials(person, directory)
    if not found or not person.cities:
        return None
    typed, who = found
    city = dice.choice(person.cities)
    right = who & directory.in_city[city]
    return query(f"{typed} {city}", right) if dice.random() < 0.5 else query(typed, right, ("city", city))


def initials_and_given(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`zxm 小明`."""
    found = _initials(person, directory)
    _, given = _chinese(person.name)
    if not found or len(given) < 2:
        return None
    typed, who = found
    plain = _plain(given)
    asked = dice.choice([f"{typed} {given}", f"{given} {typed}"])
    return query(asked, {which for which in who if plain in _plain(directory.names[which])})


KINDS = (
    Kind("CJK", "characters of a Chinese name", chinese),
    Kind("CJK", "characters of a Japanese surname or given name", japanese),
    Kind("CJK", "characters across the space of a Japanese name", across_the_space),
    Kind("CJK", "syllables of a Korean name", korean),
    Kind("other forms", "characters or kana in another form", other_form),
    _pinyin("whole"),
    _pinyin("surname and given name"),
    _pinyin("syllables"),
    Kind("pinyin", "pinyin initials and city", initials_and_city),
    Kind("pinyin", "pinyin initials and given name", initials_and_given),
)
