"""Readings of Korean names in Latin letters, and their initial consonants.

Syllables are spelled as the Revised Romanisation has it, and as people spell their own names: 영 as yeong and
young. The tables are our own.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from app.search.han import Reading


def _table(text: str) -> dict[str, list[str]]:
    """Syllables and their spellings."""
    return {syllable: spellings for syllable, *spellings in (entry.split() for entry in text.split(","))}


_FIRST, _VOWELS, _LASTS = 0xAC00, 21, 28
_CONSONANTS = re.split(" ", "g kk n d tt r m b pp s ss  j jj ch k t p h")
_SPOKEN = re.split(" ", "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i")
_ENDS = re.split(" ", " k k k n n n t l k m l l l p l m p p t t ng t t k t p t")
_INITIALS = "".join(map(chr, range(0x1100, 0x1113)))
_SURNAMES = _table("""
    김 kim, 이 lee yi rhee, 박 park pak, 최 choi, 정 jung chung, 강 kang, 조 cho, 윤 yoon, 장 jang chang,
    임 lim, 림 lim, 한 han, 오 oh, 서 seo suh, 신 shin, 권 kwon, 황 hwang, 안 ahn, 송 song, 류 ryu, 유 yoo,
    전 jun chun, 홍 hong, 고 ko koh, 문 moon, 양 yang, 손 son sohn, 배 bae, 백 baek paik, 허 heo hur,
    남 nam, 심 shim, 노 noh roh, 하 ha, 곽 kwak, 성 sung, 차 cha, 주 joo, 우 woo, 구 koo ku, 민 min,
    진 jin, 지 ji, 엄 um, 채 chae, 원 won, 천 chun, 방 bang, 공 kong, 현 hyun, 변 byun, 염 yum, 여 yeo,
    추 choo, 도 do, 소 so, 석 suk, 선 sun, 설 sul, 마 ma, 길 gil, 연 yeon, 위 wi, 표 pyo, 명 myung, 기 ki,
    반 ban, 왕 wang, 금 keum, 옥 ok, 육 yook, 인 in, 맹 maeng, 제 je, 모 mo, 탁 tak, 국 kook, 어 eo,
    은 eun
""")
_COMPOUND = frozenset({"남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방"})
_SHORTEST_WITH_COMPOUND = 3
_LONGEST_NAME = 5
_USUAL = _table("""
    영 young, 현 hyun, 정 jung, 경 kyung, 희 hee, 우 woo, 수 soo, 준 joon, 선 sun, 성 sung, 승 seung,
    주 joo, 훈 hoon, 국 kook, 석 suk, 규 kyu, 기 ki, 건 kun, 형 hyung, 명 myung, 구 koo, 숙 sook, 순 soon,
    연 yun, 근 keun, 광 kwang, 욱 wook, 운 woon, 원 won, 유 yoo, 윤 yoon, 화 hwa, 덕 duk, 범 bum, 섭 sup,
    혁 hyuk, 춘 choon, 문 moon, 무 moo, 두 doo, 병 byung, 린 lin, 란 ran, 령 ryung, 률 ryul, 시 si,
    신 shin, 심 shim, 루 roo, 후 hoo, 권 kwon, 곤 gon, 길 kil, 갑 kap, 김 kim
""")
"""Syllables of given names whose usual spelling is not that of the Revised Romanisation."""


def read_all(runs: list[str]) -> Iterator[Reading]:
    """The readings of the words of a name: of surname and given name as one, of a longer name's each."""
    whole = "".join(runs)
    found = map(read, [whole] if len(whole) <= _LONGEST_NAME else runs)
    yield from (reading for reading in found if reading)


@lru_cache(maxsize=20_000)
def read(run: str) -> Reading | None:
    """The reading of one run of syllables; None where it is none."""
    name = unicodedata.normalize("NFC", run)
    if not all(_FIRST <= ord(char) < _FIRST + len(_CONSONANTS) * _VOWELS * _LASTS for char in name):
        return None
    at = 2 if name[:2] in _COMPOUND and len(name) >= _SHORTEST_WITH_COMPOUND else 1
    plain, usual = [*map(_spell, name)], [_USUAL.get(char, [_spell(char)])[0] for char in name]
    if len(name) > _LONGEST_NAME or len(name) == 1:
        return Reading(
            tuple(dict.fromkeys((*_SURNAMES.get(name, []), *plain))), (), ("".join(plain),), (), ()
        )
    family = [*_SURNAMES.get(name[:at], []), "".join(plain[:at])]
    given = dict.fromkeys(("".join(plain[at:]), "".join(usual[at:])))
    initials = "".join(_INITIALS[(ord(char) - _FIRST) // (_VOWELS * _LASTS)] for char in name)
    return Reading(
        surname=tuple(dict.fromkeys(family)),
        given=tuple(given),
        whole=("".join((family[0], *plain[at:])),),
        syllables=tuple(dict.fromkeys((*plain[at:], *usual[at:]))),
        initials=(initials, initials[at:]) if len(name) > at + 1 else (initials,),
    )


def _spell(syllable: str) -> str:
    consonant, rest = divmod(ord(syllable) - _FIRST, _VOWELS * _LASTS)
    vowel, end = divmod(rest, _LASTS)
    return _CONSONANTS[consonant] + _SPOKEN[vowel] + _ENDS[end]
