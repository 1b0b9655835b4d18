"""Readings of Chinese names: pinyin of surname and given name, in the spellings that people type."""

from dataclasses import dataclass
from functools import lru_cache

from pypinyin import lazy_pinyin

from app.core.normalise import SURNAME_READINGS

COMPOUND_SURNAMES = {
    "欧阳": "ou yang", "司马": "si ma", "上官": "shang guan", "诸葛": "zhu ge", "东方": "dong fang",
    "皇甫": "huang fu", "尉迟": "yu chi", "公孙": "gong sun", "慕容": "mu rong", "令狐": "ling hu",
    "夏侯": "xia hou", "司徒": "si tu", "长孙": "zhang sun", "宇文": "yu wen", "端木": "duan mu",
    "百里": "bai li", "呼延": "hu yan", "南宫": "nan gong", "轩辕": "xuan yuan", "独孤": "du gu",
    "西门": "xi men", "东郭": "dong guo", "申屠": "shen tu", "澹台": "tan tai", "濮阳": "pu yang",
    "淳于": "chun yu", "单于": "chan yu", "钟离": "zhong li", "闻人": "wen ren", "万俟": "mo qi",
    "司空": "si kong", "拓跋": "tuo ba", "赫连": "he lian", "鲜于": "xian yu",
}  # fmt: skip

_SHORTEST_WITH_COMPOUND = 3
_UMLAUTS = ("v", "u", "yu")
"""What is typed for ü: the v of input methods, the u of `fold`, and the y of passports (GB/T 28039)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The reading of a name; each tuple has one entry for each spelling."""

    surname: tuple[str, ...]
    given: tuple[str, ...]  # joined; empty where the run is one character
    whole: tuple[str, ...]
    syllables: tuple[str, ...]
    initials: tuple[str, ...]


@lru_cache(maxsize=50_000)
def read(run: str) -> Reading | None:
    """The reading of a run as search folds it (simplified); None where a character has no reading."""
    split_at, syllables = _syllables(run)
    if len(syllables) != len(run) or not all(each.isascii() for each in syllables):
        return None
    return Reading(
        surname=_spellings("".join(syllables[:split_at])),
        given=_spellings("".join(syllables[split_at:])) if len(run) > split_at else (),
        whole=_spellings("".join(syllables)),
        syllables=tuple(spelling for each in syllables for spelling in _spellings(each)),
        initials=("".join(each[0] for each in syllables),),
    )


def _syllables(run: str) -> tuple[int, list[str]]:
    """The number of syllables of the surname, and all syllables."""
    compound = COMPOUND_SURNAMES.get(run[:2])
    if compound and len(run) >= _SHORTEST_WITH_COMPOUND:
        return 2, [*compound.split(), *lazy_pinyin(run[2:])]
    if surname := SURNAME_READINGS.get(run[0]):
        return 1, [surname, *lazy_pinyin(run[1:])]
    return 1, lazy_pinyin(run)


def _spellings(reading: str) -> tuple[str, ...]:
    """Each spelling of ü, for which pypinyin writes v; pinyin has no other v."""
    if "v" not in reading:
        return (reading,)
    return tuple(reading.replace("v", letters) for letters in _UMLAUTS)
