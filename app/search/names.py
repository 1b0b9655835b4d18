"""The words of a name: as written, in other spellings and readings, joined, and in pairs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise, product

from app.search import han, japanese, korean, romanisation
from app.search.words import LONGEST_RUN, cut, runs, script, spelled_out, texts

_LONGEST = 512
_MOST_WORDS = 20
_PAIRED, _PAIRED_SURNAMES, _MOST_PAIRS = 4, 3, 10


@dataclass(frozen=True, slots=True)
class Name:
    words: list[str]
    aliases: list[str]
    joined: list[str]
    """Words written as one, and the initials of Chinese and Korean names."""
    spoken: list[str]
    """Surname, given name and both of a Chinese, Japanese or Korean name; also among the aliases."""
    pairs: list[str]


def pair(one: str, other: str) -> str:
    """The posting of two words of a name, in either order."""
    return f"&{one} {other}" if one < other else f"&{other} {one}"


def take_apart(name: str) -> Name:
    text = name[:_LONGEST]
    words = cut(texts(text))[:_MOST_WORDS]
    if text.isascii():
        return Name(words, [], joined(words), [], _pairs(combinations(words[:_PAIRED], 2)))
    spelled = cut(spelled_out(text))[:_MOST_WORDS]
    latin = romanisation.spellings(text)[:_MOST_WORDS]
    readings = [*read_aloud(words), *_otherwise(text, words)]
    spoken = cut([spelling for run in readings for spelling in (*run.surname, *run.given, *run.whole)])
    return Name(
        words=words,
        aliases=[
            *spelled,
            *cut(spelling for word in latin for spelling in word),
            *spoken,
            *(syllable for run in readings for syllable in run.syllables),
        ],
        joined=[*joined(words), *joined(spelled), *(one for run in readings for one in run.initials)],
        spoken=spoken[:_PAIRED],
        pairs=_pairs(_couples(words[:_PAIRED], spelled[:_PAIRED], latin[:_PAIRED], readings)),
    )


def joined(words: list[str]) -> list[str]:
    """Two and three neighbours as one word (`vandermeer`), and all of them; runs have substrings instead."""
    spaced = [word for word in words if not script(word)]
    if len(spaced) < 2:  # noqa: PLR2004 - nothing to join
        return []
    threes = zip(spaced, spaced[1:], spaced[2:])  # noqa: B905 - ends with the last three
    groups = [*pairwise(spaced), *threes, spaced]
    return cut(dict.fromkeys("".join(group) for group in groups))


def read_aloud(words: list[str]) -> list[han.Reading]:
    """The readings of a field's Han, if it is Chinese: beside kana or Hangul it is not."""
    scripts = {script(word) for word in words}
    if "han" not in scripts or scripts & {"kana", "hangul"}:
        return []
    readings = (han.read(run[:LONGEST_RUN]) for run in runs(words) if script(run) == "han")
    return [reading for reading in readings if reading]


def _otherwise(text: str, words: list[str]) -> Iterator[han.Reading]:
    """The readings of a Japanese or Korean name."""
    scripts = {script(word) for word in words}
    if scripts & {"han", "kana"} and "hangul" not in scripts and (japanese_name := japanese.read(text)):
        yield japanese_name
    if "hangul" in scripts:
        yield from korean.read_all([word for word in words if script(word) == "hangul"])


def _couples(
    words: list[str],
    spelled: list[str],
    latin: list[tuple[str, ...]],
    readings: list[han.Reading],
) -> Iterator[tuple[str, str]]:
    """Pairs of words: as written first, then with umlauts written out; readings go only with each other."""
    spellings = list(zip(words, spelled, strict=True)) if spelled else []
    yield from combinations(words, 2)
    for one, other in combinations(spellings, 2):
        yield from product(one, other)
    yield from combinations(cut(word[0] for word in latin), 2)
    for reading in readings:
        yield from product(reading.surname[:_PAIRED_SURNAMES], cut(reading.given))


def _pairs(couples: Iterable[tuple[str, str]]) -> list[str]:
    distinct = dict.fromkeys(pair(one, other) for one, other in couples if one != other)
    return list(distinct)[:_MOST_PAIRS]
