"""Writes `app/search/japanese_names.txt`: how the names of Japanese people are read.

The readings are those of SudachiDict, which is no dependency: run this where `sudachipy` and
`sudachidict_small` are installed beside Roster, with `python -m tools.japanese_names`. A line is a name as
search folds it, its readings as a surname, those as a given name
unless its characters tell them, and, of one character, those that it has
within given names, the likeliest first. These are counted: the way to cut each name's reading among its
characters is found by expectation and maximisation.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, pairwise
from math import prod
from pathlib import Path

from sudachipy import Dictionary

from app.search.japanese import combine
from app.search.words import fold

TARGET = Path(__file__).parent.parent / "app" / "search" / "japanese_names.txt"
_HAN = re.compile("[㐀-鿿々𠀀-\U000323af]")
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_ROUNDS, _LEAST, _MOST = 8, 0.04, 6
_LONGEST_SYLLABLES = 4
_UNKNOWN = 1e-4
Readings = dict[str, dict[str, None]]
"""By name, in the order of the dictionary."""
Shares = Mapping[str, dict[str, float]]
"""By character, how often it has each reading."""


def _names() -> tuple[Readings, Readings]:
    """Surnames and given names."""
    found: dict[str, Readings] = {"姓": defaultdict(dict), "名": defaultdict(dict)}
    for word in Dictionary(dict="small").entries():
        kind = word.part_of_speech()
        if kind[2] == "人名" and kind[3] in found and _HAN.search(word.surface()):
            readings = found[kind[3]][fold(word.surface())]
            readings[word.reading_form().translate(_HIRAGANA)] = None
    return found["姓"], found["名"]


def _cuts(reading: str, parts: int) -> Iterator[tuple[str, ...]]:
    for places in combinations(range(1, len(reading)), parts - 1):
        ends = (0, *places, len(reading))
        cut = tuple(reading[start:end] for start, end in pairwise(ends))
        if max(map(len, cut)) <= _LONGEST_SYLLABLES:
            yield cut


def _spoken(given: Readings) -> dict[str, list[str]]:
    """The readings of each character within given names."""
    known = [
        (name, list(_cuts(reading, len(name)))) for name, readings in given.items() for reading in readings
    ]
    likely: Shares = {}
    for _ in range(_ROUNDS):
        counts: Shares = defaultdict(lambda: defaultdict(float))
        for name, cuts in known:
            weights = [_weight(name, cut, likely) for cut in cuts]
            for cut, weight in zip(cuts, weights, strict=True):
                for char, part in zip(name, cut, strict=True):
                    counts[char][part] += weight / sum(weights)
        likely = {char: _shared(counted) for char, counted in counts.items()}
    return {
        char: [
            part for part in sorted(shares, key=lambda part: -shares[part])[:_MOST] if shares[part] >= _LEAST
        ]
        for char, shares in likely.items()
        if _HAN.match(char)
    }


def _weight(name: str, cut: tuple[str, ...], likely: Shares) -> float:
    parts = zip(name, cut, strict=True)
    return prod(likely.get(char, {}).get(part, _UNKNOWN) for char, part in parts)


def _shared(counted: Mapping[str, float]) -> dict[str, float]:
    total = sum(counted.values())
    return {part: count / total for part, count in counted.items()}


def write() -> None:
    surnames, given = _names()
    spoken = _spoken(given)
    rare = {name: readings for name, readings in given.items() if not _is_composed(name, readings, spoken)}
    lines = [
        "\t".join((name, *(" ".join(some.get(name, ())) for some in (surnames, rare, spoken)))).rstrip()
        for name in sorted({*surnames, *rare, *spoken})
    ]
    TARGET.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _is_composed(name: str, readings: Iterable[str], spoken: Mapping[str, list[str]]) -> bool:
    """Whether the readings of the characters say it all."""
    return set(readings) <= set(combine([spoken.get(char, [char]) for char in name]))


if __name__ == "__main__":
    write()
